// Decodes every packet that a client may send, in MQTT 3.1, 3.1.1 and 5.0, and refuses whatever those specifications do
// not allow it to send. Pure: what depends on the connection (order, aliases, limits) is for the caller.
import type {
  AuthPacket,
  ClientPacket,
  DisconnectPacket,
  Malformed,
  PingreqPacket,
  WireVersion
} from './client-packets.ts'
import { decodeConnect } from './connect-decoder.ts'
import { place, readProperties } from './properties-decoder.ts'
import { decodeAcknowledgement, decodePublish } from './publish-decoder.ts'
import { decodeSubscribe, decodeUnsubscribe } from './subscribe-decoder.ts'
import { protocolError, WireError, WireReader } from './wire-reader.ts'

export type * from './client-packets.ts'

/** Where a packet stands in a chunk: `header` is its first byte; behind the remaining length it takes chunk[at..end). */
export interface PacketPlace {
  header: number
  at: number
  end: number
}

/**
 * Decodes one packet that is there whole. `version` is the connection's; CONNECT states its own. Payloads, passwords
 * and other binary fields are views of the chunk. A malformed packet has reason code 0x81, one that can be read but
 * breaks a rule 0x82, unless the specification has a code that says more (4.13).
 */
export function decodePacket(
  chunk: Buffer,
  { header, at, end }: PacketPlace,
  version: WireVersion
): ClientPacket | Malformed {
  try {
    return decode(new WireReader(chunk, at, end), header, version)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const { code, message, connect } = error
    return { cmd: 'malformed', code, message, ...(connect && { connect }) }
  }
}

function decode(reader: WireReader, header: number, version: WireVersion): ClientPacket {
  const flags = header & 0x0f
  const type = header >> 4
  if (type === 3) return decodePublish(reader, flags, version)
  if (type === 1) return decodeConnect(reader, flags)
  checkFlags(type, flags, version)
  switch (type) {
    case 4:
      return decodeAcknowledgement(reader, 'puback', version)
    case 5:
      return decodeAcknowledgement(reader, 'pubrec', version)
    case 6:
      return decodeAcknowledgement(reader, 'pubrel', version)
    case 7:
      return decodeAcknowledgement(reader, 'pubcomp', version)
    case 8:
      return decodeSubscribe(reader, version)
    case 10:
      return decodeUnsubscribe(reader, version)
    case 12:
      return decodePingreq(reader)
    case 14:
      return decodeDisconnect(reader, version)
    case 15:
      if (version === 5) return decodeAuth(reader)
      break
    case 2:
    case 9:
    case 11:
    case 13:
      throw protocolError(`only a server sends packets of type ${type}`)
    default:
  }
  throw new WireError(`there are no packets of type ${type}`)
}

// PUBREL, SUBSCRIBE and UNSUBSCRIBE have what were the bits of QoS 1 in MQTT 3.1, where their repetitions also have
// DUP and where RETAIN is not looked at [MQTT-2.1.3-1; 3.1.1: MQTT-2.2.2-2].
function checkFlags(type: number, flags: number, version: WireVersion): void {
  const acknowledged = type === 6 || type === 8 || type === 10
  const fixed = acknowledged && version === 3 ? 0x06 : 0x0f
  if ((flags & fixed) !== (acknowledged ? 0x02 : 0)) {
    throw new WireError('the flags of the fixed header are not those of this packet')
  }
}

function decodePingreq(reader: WireReader): PingreqPacket {
  reader.finish()
  return { cmd: 'pingreq' }
}

// Table 3-10, those that a client sends.
const goodbyes = new Set([0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99])

function decodeDisconnect(reader: WireReader, version: WireVersion): DisconnectPacket {
  let reasonCode = 0
  let properties: DisconnectPacket['properties']
  if (version === 5 && reader.at < reader.end) {
    reasonCode = reader.byte('the reason code')
    if (!goodbyes.has(reasonCode))
      throw protocolError(`reason code ${reasonCode} is none of a client’s DISCONNECT`)
    if (reader.at < reader.end) properties = readProperties(reader, place.disconnect)
  }
  reader.finish()
  return { cmd: 'disconnect', reasonCode, properties }
}

const CONTINUE = 0x18
const AUTHENTICATE_AGAIN = 0x19

// Without contents an AUTH would mean success, which only the server can say [MQTT-3.15.2-1].
function decodeAuth(reader: WireReader): AuthPacket {
  const reasonCode = reader.at < reader.end ? reader.byte('the reason code') : 0
  if (reasonCode !== CONTINUE && reasonCode !== AUTHENTICATE_AGAIN) {
    throw protocolError(`reason code ${reasonCode} is none of a client’s AUTH`)
  }
  const properties = reader.at < reader.end ? readProperties(reader, place.auth) : undefined
  if (properties?.authenticationMethod === undefined) {
    throw protocolError('an AUTH names no authentication method')
  }
  reader.finish()
  return { cmd: 'auth', reasonCode, properties }
}
