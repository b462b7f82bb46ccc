// Decodes CONNECT, which says itself by which version it is to be read. Pure.
import { isTopicName } from '../../store/topic-filter.ts'
import type { ConnectPacket, ConnectProperties, ConnectWill, WireVersion } from './client-packets.ts'
import { place, readProperties } from './properties-decoder.ts'
import { reason } from './reason-codes.ts'
import { protocolError, WireError, type WireReader } from './wire-reader.ts'

const CLEAN = 0x02
const WILL = 0x04
const WILL_RETAIN = 0x20
const PASSWORD = 0x40
const USER_NAME = 0x80

/** Reads a CONNECT. Of MQTT 5 also what is malformed gets an answer, of earlier versions only an unknown level. */
export function decodeConnect(reader: WireReader, headerFlags: number): ConnectPacket {
  const protocolId = reader.text('the protocol name')
  if (protocolId !== 'MQTT' && protocolId !== 'MQIsdp') {
    throw new WireError('the protocol is not MQTT', reason.unsupportedProtocolVersion)
  }
  const version = versionOf(protocolId, reader.byte('the protocol level'))
  try {
    if (headerFlags !== 0) throw new WireError('the fixed header of CONNECT has flags') // [MQTT-2.1.3-1]
    return readConnect(reader, protocolId, version)
  } catch (error) {
    if (error instanceof WireError && version === 5) error.connect = { version }
    throw error
  }
}

// Bridges try 0x83 and 0x84 first and go on with 3 and 4 once they are refused. Who speaks a level unknown to us
// understands the return code of 3.1.1, if any [3.1.1: MQTT-3.1.2-2].
function versionOf(protocolId: 'MQTT' | 'MQIsdp', level: number): WireVersion {
  if (protocolId === 'MQIsdp' ? level === 3 : level === 4 || level === 5) return level as WireVersion
  const error = new WireError(
    `protocol level ${level} of ${protocolId} is not supported`,
    reason.unsupportedProtocolVersion
  )
  error.connect = { version: 4, returnCode: 1 }
  throw error
}

// The fields stand in this order [MQTT-3.1.3-1].
function readConnect(
  reader: WireReader,
  protocolId: 'MQTT' | 'MQIsdp',
  protocolVersion: WireVersion
): ConnectPacket {
  const flags = reader.byte('the connect flags')
  checkFlags(flags, protocolVersion)
  const keepalive = reader.uint16('the keep alive')
  const properties = protocolVersion === 5 ? readConnectProperties(reader) : undefined
  const clientId = reader.text('the client id')
  const will = (flags & WILL) !== 0 ? readWill(reader, flags, protocolVersion) : undefined
  // MQTT 3.1: the flags of a user name and password that are not there are to be passed over.
  const mayLack = protocolVersion === 3
  const has = (flag: number) => (flags & flag) !== 0 && !(mayLack && reader.at === reader.end)
  const username = has(USER_NAME) ? reader.text('the user name') : undefined
  const password = has(PASSWORD) ? reader.binary('the password') : undefined
  reader.finish()
  return {
    cmd: 'connect',
    protocolId,
    protocolVersion,
    clientId,
    clean: (flags & CLEAN) !== 0,
    keepalive,
    username,
    password,
    will,
    properties
  }
}

function checkFlags(flags: number, version: WireVersion): void {
  if ((flags & 1) !== 0) throw new WireError('the reserved connect flag is set') // [MQTT-3.1.2-3]
  if ((flags & WILL) === 0) {
    // MQTT 3.1 says that these are not looked at then. [MQTT-3.1.2-11, -13]
    if (version > 3 && (willQos(flags) > 0 || (flags & WILL_RETAIN) !== 0)) {
      throw protocolError('there is no will, but its QoS or retain flag is set')
    }
  } else if (willQos(flags) === 3) {
    throw new WireError('the will’s QoS is 3') // [MQTT-3.1.2-12]
  }
  // MQTT 5 allows it; before, [3.1.1: MQTT-3.1.2-22].
  if (version < 5 && (flags & PASSWORD) !== 0 && (flags & USER_NAME) === 0) {
    throw protocolError('there is a password without a user name')
  }
}

function readConnectProperties(reader: WireReader): ConnectProperties | undefined {
  const properties = readProperties(reader, place.connect)
  if (properties?.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw protocolError('there is authentication data without an authentication method')
  }
  return properties
}

function readWill(reader: WireReader, flags: number, version: WireVersion): ConnectWill {
  const properties = version === 5 ? readProperties(reader, place.will) : undefined
  const topic = reader.text('the will’s topic')
  if (!isTopicName(topic)) throw new WireError('the will’s topic is no topic name', reason.topicNameInvalid)
  const payload = reader.binary('the will’s payload')
  return { topic, payload, qos: willQos(flags) as 0 | 1 | 2, retain: (flags & WILL_RETAIN) !== 0, properties }
}

function willQos(flags: number): number {
  return (flags >> 3) & 3
}
