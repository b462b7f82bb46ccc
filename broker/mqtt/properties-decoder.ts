// Decodes MQTT 5 properties (section 2.2.2): which there are, in which packets, how often, with which values. Pure.
import { isTopicName } from '../../store/topic-filter.ts'
import type { PropertyValues } from './client-packets.ts'
import { reason } from './reason-codes.ts'
import { protocolError, WireError, type WireReader } from './wire-reader.ts'

/** Where properties can stand in what a client sends: bits, since a property can have several places. */
export const place = {
  connect: 1,
  will: 2,
  publish: 4,
  acknowledgement: 8,
  subscribe: 16,
  unsubscribe: 32,
  disconnect: 64,
  auth: 128
} as const
export type Place = (typeof place)[keyof typeof place]

type Name = Exclude<keyof PropertyValues, 'userProperties'>
type Read = (reader: WireReader, what: string) => boolean | number | string | Buffer

interface Property {
  name: Name
  places: number
  read: Read
  /** In messages: "the topic alias". */
  what: string
}

const MESSAGE = place.publish | place.will
const AUTHENTICATION = place.connect | place.auth
const REASON = place.acknowledgement | place.disconnect | place.auth

const text = ((reader, what) => reader.text(what)) satisfies Read
const binary = ((reader, what) => reader.binary(what)) satisfies Read
const uint16 = ((reader, what) => reader.uint16(what)) satisfies Read
const uint32 = ((reader, what) => reader.uint32(what)) satisfies Read

/** By identifier; user properties, the only ones that may be repeated, are apart. */
const properties: Readonly<Record<number, Property>> = {
  0x01: property('payloadFormatIndicator', MESSAGE, flag),
  0x02: property('messageExpiryInterval', MESSAGE, uint32),
  0x03: property('contentType', MESSAGE, text),
  0x08: property('responseTopic', MESSAGE, topicName),
  0x09: property('correlationData', MESSAGE, binary),
  0x0b: property('subscriptionIdentifier', place.subscribe, subscriptionIdentifier),
  0x11: property('sessionExpiryInterval', place.connect | place.disconnect, uint32),
  0x15: property('authenticationMethod', AUTHENTICATION, text),
  0x16: property('authenticationData', AUTHENTICATION, binary),
  0x17: property('requestProblemInformation', place.connect, flag),
  0x18: property('willDelayInterval', place.will, uint32),
  0x19: property('requestResponseInformation', place.connect, flag),
  0x1f: property('reasonString', REASON, text),
  0x21: property('receiveMaximum', place.connect, positive(uint16)),
  0x22: property('topicAliasMaximum', place.connect, uint16),
  0x23: property('topicAlias', place.publish, topicAlias),
  0x27: property('maximumPacketSize', place.connect, positive(uint32))
}
const USER_PROPERTY = 0x26

/** These have a place in the packet, but only when the server sends it: a protocol error, not a malformed packet. */
const ofServer: Readonly<Record<number, Place>> = {
  0x0b: place.publish, // subscription identifier [MQTT-3.3.4-6]
  0x1c: place.disconnect // server reference
}

/** Reads the property length and the properties; undefined when there are none. */
export function readProperties(reader: WireReader, where: Place): PropertyValues | undefined {
  const length = reader.variableInteger('the property length')
  if (length === 0) return undefined
  const part = reader.part(length, 'what the property length counts')
  const values: Partial<Record<Name, unknown>> = {}
  let pairs: [string, string][] | undefined
  while (part.at < part.end) {
    const identifier = part.byte('a property identifier')
    if (identifier === USER_PROPERTY) {
      pairs ??= []
      pairs.push([part.text('a user property’s name'), part.text('a user property’s value')])
      continue
    }
    const found = properties[identifier]
    if (found === undefined || (found.places & where) === 0) throw misplaced(identifier, where)
    const { name, read, what } = found
    if (values[name] !== undefined) throw protocolError(`${what} is given twice`)
    values[name] = read(part, what)
  }
  return (pairs === undefined ? values : { ...values, userProperties: pairs }) as PropertyValues
}

function property(name: Name, places: number, read: Read): Property {
  return { name, places, read, what: `the ${name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)}` }
}

function misplaced(identifier: number, where: Place): WireError {
  const hex = `0x${identifier.toString(16).padStart(2, '0')}`
  return ofServer[identifier] === where
    ? protocolError(`only the server sends property ${hex} in this packet`)
    : new WireError(`the property ${hex} is not one of this packet`)
}

function flag(reader: WireReader, what: string): boolean {
  const value = reader.byte(what)
  if (value > 1) throw protocolError(`${what} is neither 0 nor 1`)
  return value === 1
}

function positive(read: (reader: WireReader, what: string) => number): Read {
  return (reader, what) => {
    const value = read(reader, what)
    if (value === 0) throw protocolError(`${what} is 0`)
    return value
  }
}

// [MQTT-3.3.2-8]
function topicAlias(reader: WireReader, what: string): number {
  const value = reader.uint16(what)
  if (value === 0) throw new WireError(`${what} is 0`, reason.topicAliasInvalid)
  return value
}

function subscriptionIdentifier(reader: WireReader, what: string): number {
  const value = reader.variableInteger(what)
  if (value === 0) throw protocolError(`${what} is 0`)
  return value
}

// [MQTT-3.3.2-14]
function topicName(reader: WireReader, what: string): string {
  const value = reader.text(what)
  if (!isTopicName(value)) throw new WireError(`${what} is no topic name`, reason.topicNameInvalid)
  return value
}
