// The CONNACK of a client that is accepted, and of one that is not.
import { generate, type IConnackPacket } from 'mqtt-packet'
import type { WireVersion } from './client-packets.ts'
import { reason, type ReasonCode } from './reason-codes.ts'

/** What an accepted client is told; from MQTT 5 on all of it. */
export interface Acceptance {
  /** Whether it goes on with a session [MQTT-3.2.2-2, -3]. */
  sessionPresent: boolean
  /** The client id that the server gave it [MQTT-3.2.2-16]; null if it has one of its own. */
  assignedId: string | null
  /** In place of the client's own keep alive [MQTT-3.2.2-21]; null to leave that. */
  keepaliveS: number | null
  /** In place of what the client asked for [3.2.2.3.2]; null to leave that. */
  expiryIntervalS: number | null
}

/** Limits that every client is told. */
export interface AnnouncedLimits {
  packetBytesMax: number
  receiveMax: number
  topicAliasMax: number
}

/** Why a client is not accepted: the reason code of MQTT 5, and the return code of MQTT 3.1.1. */
export interface ConnectRefusal {
  code: ReasonCode
  returnCode: number
}

/** All that MQTT 5 lets a server do without is offered, so nothing is said of it: a client takes that for available. */
export function encodeAcceptance(
  acceptance: Acceptance,
  version: WireVersion,
  limits: AnnouncedLimits
): Buffer {
  const { sessionPresent, assignedId, keepaliveS, expiryIntervalS } = acceptance
  if (version !== 5) return Buffer.of(0x20, 2, sessionPresent && version === 4 ? 1 : 0, 0) // 3.1 has no such flag
  const properties = {
    receiveMaximum: limits.receiveMax,
    maximumPacketSize: limits.packetBytesMax,
    topicAliasMaximum: limits.topicAliasMax,
    ...(assignedId !== null && { assignedClientIdentifier: assignedId }),
    ...(keepaliveS !== null && { serverKeepAlive: keepaliveS }),
    ...(expiryIntervalS !== null && { sessionExpiryInterval: expiryIntervalS })
  }
  return generate(
    { cmd: 'connack', sessionPresent, reasonCode: reason.success, properties },
    { protocolVersion: 5 }
  )
}

/** `message` says in words what is wrong; MQTT 5 clients get it as the reason string. */
export function refusalPacket(
  { code, returnCode }: ConnectRefusal,
  version: WireVersion,
  message: string
): IConnackPacket {
  if (version !== 5) return { cmd: 'connack', sessionPresent: false, returnCode }
  return { cmd: 'connack', sessionPresent: false, reasonCode: code, properties: { reasonString: message } }
}
