// How an MQTT connection becomes a client, step by step, and how it ends:
//   check        limits, credentials, the will's topic (aedes' preConnect)
//   openSession  takes over from the connection that holds the id, finds or makes the session (aedes' authenticate)
//   ready        CONNACK is out: presence, then what the session missed, then what the client sent meanwhile
//   ended        presence, and the session is stored away
import { randomBytes } from 'node:crypto'
import { isTopicName } from '../../store/topic-filter.ts'
import type { Log } from '../../store/store.ts'
import type { AuthenticationRefusal, Authenticator } from '../authenticate.ts'
import type { Authorizer } from '../authorize.ts'
import type { AdmissionRefusal } from '../limits.ts'
import type { Presence } from '../presence.ts'
import type { IConnectPacket } from './aedes-internals.ts'
import type { Connection } from './connection.ts'
import { reason, type ReasonCode } from './reason-codes.ts'
import type { Sessions } from './sessions.ts'
import type { Wills } from './wills.ts'

export interface EndContext {
  presence: Presence
  sessions: Sessions
  /** The connection that holds each session. */
  byKey: Map<string, Connection>
  draining: () => boolean
}

export interface AcceptContext extends EndContext {
  log: Pick<Log, 'full'>
  authenticator: Authenticator
  authorizer: Authorizer
  wills: Wills
  inflightMax: number
  /** Longest keep alive of an MQTT 5 client, seconds; 0 sets no limit. */
  keepaliveMaxS: number
}

interface Refusal {
  code: ReasonCode
  /** Return code of MQTT 3.1.1. */
  returnCode: number
}

const limitRefusals: Record<AdmissionRefusal['code'], Refusal> = {
  'too-many-connections': { code: reason.quotaExceeded, returnCode: 3 },
  'too-many-from-address': { code: reason.quotaExceeded, returnCode: 3 },
  'too-many-connects': { code: reason.connectionRateExceeded, returnCode: 3 }
}

const credentialRefusals: Record<AuthenticationRefusal['code'], Refusal> = {
  'bad-credentials': { code: reason.badUserNameOrPassword, returnCode: 4 },
  'not-authorized': { code: reason.notAuthorized, returnCode: 5 },
  'id-invalid': { code: reason.clientIdentifierNotValid, returnCode: 2 }
}

// A session belongs to a device and a client id, so that no device can take another one's session by naming its id.
function sessionKey(device: string, clientId: string): string {
  return device === clientId ? device : `${device}\0${clientId}`
}

function check(
  context: AcceptContext,
  connection: Connection,
  packet: IConnectPacket,
  next: () => void
): void {
  const { admission } = connection
  const version = packet.protocolVersion ?? 4
  connection.version = version
  const refuse = (refusal: Refusal, message: string) => connection.refuse(refusal, { version, message })
  if (!admission.ok) return refuse(limitRefusals[admission.code], admission.message)
  if (context.draining())
    return refuse({ code: reason.serverUnavailable, returnCode: 3 }, 'the server is shutting down')
  // Each connection has its presence, session and will written; clients that come again and again must not fill memory.
  if (context.log.full())
    return refuse({ code: reason.serverUnavailable, returnCode: 3 }, 'nothing can be stored now')
  if (packet.clientId === '') {
    if (version < 5 && packet.clean === false) return next() // aedes refuses it [MQTT-3.1.3-8]
    packet.clientId = `tocsin-${randomBytes(9).toString('base64url')}`
    connection.idAssigned = true
  }
  const { clientId, username, password, will } = packet
  const outcome = context.authenticator.authenticate({
    user: username ?? null,
    clientId,
    token: password ?? null
  })
  if (!outcome.ok) return refuse(credentialRefusals[outcome.code], outcome.message)
  const { identity } = outcome
  if (will !== undefined) {
    if (!isTopicName(will.topic)) {
      return refuse({ code: reason.topicNameInvalid, returnCode: 5 }, 'the will’s topic is no topic name')
    }
    if (!context.authorizer.mayPublish(identity, will.topic)) {
      return refuse(
        { code: reason.notAuthorized, returnCode: 5 },
        'this device may not publish to its will’s topic'
      )
    }
  }
  connection.identity = identity
  connection.key = sessionKey(identity.device, clientId)
  connection.cleanStart = packet.clean ?? true
  connection.wantsProblems = packet.properties?.requestProblemInformation ?? true
  const { keepaliveMaxS } = context
  const keepaliveS = packet.keepalive ?? 0
  if (version === 5 && keepaliveMaxS > 0 && (keepaliveS === 0 || keepaliveS > keepaliveMaxS)) {
    connection.client._serverKeepAlive = keepaliveMaxS // [MQTT-3.2.2-21]
  }
  packet.clientId = connection.key // from here on aedes' id of the client
  next()
}

async function openSession(context: AcceptContext, connection: Connection, next: () => void): Promise<void> {
  const { key, identity, client, cleanStart } = connection
  if (identity === null) return
  if (connection.idAssigned) client._assignedClientId = identity.clientId
  takeOver(context, connection)
  if (!cleanStart) context.wills.sessionResumed(key)
  const request = { key, ...identity, clean: cleanStart, expiryIntervalS: client.sessionExpiryInterval }
  const opened = await context.sessions.open(request)
  if (opened === null) {
    const refusal = { code: reason.quotaExceeded, returnCode: 3 }
    connection.refuse(refusal, {
      version: connection.version,
      message: 'there are as many sessions as there may be'
    })
    return
  }
  if (connection.state === 'closed') {
    if (!context.byKey.has(key)) context.sessions.close(opened.session, opened.session.expiryIntervalS)
    return
  }
  connection.session = opened.session
  connection.sessionPresent = opened.present
  next()
}

// Exactly one connection holds a session: the old one is gone, in the same turn, before the new one goes on
// [MQTT-3.1.4-3]. For presence that is no end.
function takeOver({ byKey }: AcceptContext, connection: Connection): void {
  const previous = byKey.get(connection.key)
  if (previous !== undefined) {
    connection.inherited = previous.presence ?? previous.inherited
    previous.presence = null
    previous.inherited = null
    previous.end(reason.sessionTakenOver, 'taken-over')
  }
  byKey.set(connection.key, connection)
}

function ready({ presence, inflightMax }: AcceptContext, connection: Connection): void {
  const { client, identity, session, inherited } = connection
  if (identity === null || session === null || connection.state !== 'connecting') return
  connection.inflightMax = Math.min(inflightMax, client.receiveMaximum)
  connection.packetBytesMax = client.maximumPacketSize ?? Infinity
  connection.presence = presence.online(identity.device, inherited === null ? 'connected' : 'takeover')
  if (inherited !== null) presence.offline(inherited, 'taken-over', { expected: true })
  connection.inherited = null
  session.attach(connection)
  connection.opened()
}

function ended({ presence, sessions, byKey, draining }: EndContext, connection: Connection): void {
  const { key, session, admission, client } = connection
  if (admission.ok) admission.release()
  if (byKey.get(key) === connection) byKey.delete(key)
  const here = connection.presence ?? connection.inherited
  if (here !== null && !draining()) {
    presence.offline(here, connection.endReason ?? 'connection-lost', { expected: connection.expected })
  }
  if (session !== null) sessions.close(session, client.sessionExpiryInterval)
}

export const accept = { check, openSession, ready, ended }
