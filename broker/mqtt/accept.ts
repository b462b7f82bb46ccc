// How an MQTT connection becomes a client, step by step, and how it ends:
//   check        limits, credentials, the will's topic; then aedes gets the CONNECT
//   openSession  takes over from the connection that holds the id, finds or makes the session
//   holdWill     the will is durable
//   welcome      CONNACK, then presence, then what the session missed, then what the client sent meanwhile
//   ended        presence, and the session is stored away
import { randomBytes } from 'node:crypto'
import type { Log } from '../../store/store.ts'
import type { AuthenticationRefusal, Authenticator } from '../authenticate.ts'
import type { Authorizer } from '../authorize.ts'
import { ownerOf } from '../identity.ts'
import type { AdmissionRefusal, ConnectionLimits } from '../limits.ts'
import type { Operators } from '../operators.ts'
import type { Presence } from '../presence.ts'
import type { ConnectPacket } from './client-packets.ts'
import { encodeAcceptance, type AnnouncedLimits, type ConnectRefusal } from './connack.ts'
import type { Connection } from './connection.ts'
import type { ClientCount, TrafficCounts } from './metrics.ts'
import { reason } from './reason-codes.ts'
import type { Sessions } from './sessions.ts'
import type { Wills } from './wills.ts'

export interface EndContext {
  presence: Presence
  sessions: Sessions
  /** The connection that holds each session. */
  byKey: Map<string, Connection>
  clients: ClientCount
  draining: () => boolean
}

export interface AcceptContext extends EndContext {
  log: Pick<Log, 'full'>
  operators: Operators
  authenticator: Authenticator
  authorizer: Authorizer
  limits: ConnectionLimits
  wills: Wills
  traffic: Pick<TrafficCounts, 'connectsReceived'>
  inflightMax: number
  announced: AnnouncedLimits
  /** The client has its CONNACK. */
  onWelcome: (connection: Connection) => void
  /** Longest keep alive of an MQTT 5 client, seconds; 0 sets no limit. */
  keepaliveMaxS: number
}

const limitRefusals: Record<AdmissionRefusal['code'], ConnectRefusal> = {
  'too-many-connections': { code: reason.quotaExceeded, returnCode: 3 },
  'too-many-from-address': { code: reason.quotaExceeded, returnCode: 3 },
  'too-many-connects': { code: reason.connectionRateExceeded, returnCode: 3 },
  'connecting-too-often': { code: reason.connectionRateExceeded, returnCode: 3 }
}

const credentialRefusals: Record<AuthenticationRefusal['code'], ConnectRefusal> = {
  'bad-credentials': { code: reason.badUserNameOrPassword, returnCode: 4 },
  'not-authorized': { code: reason.notAuthorized, returnCode: 5 },
  'id-invalid': { code: reason.clientIdentifierNotValid, returnCode: 2 }
}

const noRoomForWill = {
  code: reason.quotaExceeded,
  returnCode: 3,
  message: 'there is no room for one more will'
} as const

// A session belongs to a device (or an operator's token) and a client id, so that nobody can take another one's session
// by naming its id.
function sessionKey(owner: string, clientId: string): string {
  return owner === clientId ? owner : `${owner}\0${clientId}`
}

function check(
  context: AcceptContext,
  connection: Connection,
  packet: ConnectPacket,
  next: () => void
): void {
  const { admission, version } = connection
  context.traffic.connectsReceived++
  connection.packetBytesMax = packet.properties?.maximumPacketSize ?? Infinity
  const refuse = (refusal: ConnectRefusal, message: string) => connection.refuse(refusal, message)
  if (!admission.ok) return refuse(limitRefusals[admission.code], admission.message)
  if (context.draining())
    return refuse({ code: reason.serverUnavailable, returnCode: 3 }, 'the server is shutting down')
  // Each connection has its presence, session and will written; clients that come again and again must not fill memory.
  if (context.log.full())
    return refuse({ code: reason.serverUnavailable, returnCode: 3 }, 'nothing can be stored now')
  if (packet.clientId === '') {
    // [3.1.1: MQTT-3.1.3-8]; in MQTT 3.1 every client has an id
    if (version === 3 || (version === 4 && !packet.clean))
      return refuse(credentialRefusals['id-invalid'], 'a session needs a client id')
    packet.clientId = `tocsin-${randomBytes(9).toString('base64url')}`
    connection.idAssigned = true
  }
  const { clientId, username, password, will } = packet
  const credentials = { user: username ?? null, clientId, token: password ?? null }
  const outcome =
    context.operators.authenticate(credentials) ?? context.authenticator.authenticate(credentials)
  if (!outcome.ok) return refuse(credentialRefusals[outcome.code], outcome.message)
  const { identity } = outcome
  const tooOften = context.limits.admitDevice(ownerOf(identity))
  if (tooOften !== null) return refuse(limitRefusals[tooOften.code], tooOften.message)
  if (will !== undefined && !context.authorizer.mayPublish(identity, will.topic)) {
    const refusal = { code: reason.notAuthorized, returnCode: 5 }
    return refuse(refusal, 'it may not publish to its will’s topic')
  }
  const key = sessionKey(ownerOf(identity), clientId)
  // Here, before it takes over from the connection that it can't follow.
  if (will !== undefined && !context.wills.hasRoomFor(key, will))
    return refuse(noRoomForWill, noRoomForWill.message)
  connection.identity = identity
  connection.key = key
  connection.cleanStart = packet.clean
  connection.wantsProblems = packet.properties?.requestProblemInformation ?? true
  packet.clientId = connection.key // for aedes it is the client's id
  connection.serverKeepaliveS = serverKeepaliveS(context, packet)
  next()
}

// The keep alive that the server sets in place of the client's; null where it leaves it.
function serverKeepaliveS(
  { keepaliveMaxS }: AcceptContext,
  { protocolVersion, keepalive }: ConnectPacket
): number | null {
  if (protocolVersion < 5 || keepaliveMaxS === 0) return null
  return keepalive === 0 || keepalive > keepaliveMaxS ? keepaliveMaxS : null
}

async function openSession(context: AcceptContext, connection: Connection, next: () => void): Promise<void> {
  const { key, identity, client, cleanStart } = connection
  if (identity === null || client === null) return
  takeOver(context, connection)
  const request = { key, ...identity, clean: cleanStart, expiryIntervalS: client.sessionExpiryInterval }
  const opened = await context.sessions.open(request)
  if (opened === null) {
    const refusal = { code: reason.quotaExceeded, returnCode: 3 }
    return connection.refuse(refusal, 'there are as many sessions as there may be')
  }
  if (connection.state === 'closed') {
    if (!context.byKey.has(key)) context.sessions.close(opened.session, opened.session.expiryIntervalS)
    return
  }
  if (!cleanStart) context.wills.sessionResumed(key)
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

// Wills are durable before CONNACK.
function holdWill(context: AcceptContext, connection: Connection): void {
  const { client, identity, key } = connection
  if (client === null || identity === null || connection.state !== 'connecting') return
  const will = client._will
  if (will === undefined) return welcome(context, connection)
  // Again: others that came in the same moment may have taken the room.
  if (!context.wills.hasRoomFor(key, will)) return connection.refuse(noRoomForWill, noRoomForWill.message)
  context.wills.hold({ session: key, device: identity.device, will }, error => {
    if (error === null) welcome(context, connection)
    else connection.refuse({ code: reason.serverUnavailable, returnCode: 3 }, 'the will could not be stored')
  })
}

function welcome(context: AcceptContext, connection: Connection): void {
  const { presence, clients, inflightMax, announced } = context
  const { client, identity, session, inherited, sessionPresent, serverKeepaliveS: keepaliveS } = connection
  if (identity === null || session === null || client === null || connection.state !== 'connecting') return
  const assignedId = connection.idAssigned ? identity.clientId : null
  const expiryIntervalS = client._sessionExpiryClamped ? client.sessionExpiryInterval : null
  const acceptance = { sessionPresent, assignedId, keepaliveS, expiryIntervalS }
  client.connecting = false
  client.connected = true
  connection.opened(encodeAcceptance(acceptance, connection.version, announced))
  connection.inflightMax = Math.min(inflightMax, client.receiveMaximum)
  if (identity.operator === undefined)
    connection.presence = presence.online(identity.device, inherited === null ? 'connected' : 'takeover')
  if (inherited !== null) presence.offline(inherited, 'taken-over', { expected: true })
  connection.inherited = null
  clients.opened(connection)
  session.attach(connection)
  context.onWelcome(connection)
  connection.begin()
}

function ended(context: EndContext, connection: Connection): void {
  const { presence, sessions, byKey, clients, draining } = context
  const { key, session, admission, client } = connection
  clients.closed(connection)
  if (admission.ok) admission.release()
  if (byKey.get(key) === connection) byKey.delete(key)
  const here = connection.presence ?? connection.inherited
  if (here !== null && !draining()) {
    presence.offline(here, connection.endReason ?? 'connection-lost', { expected: connection.expected })
  }
  if (session !== null) sessions.close(session, client?.sessionExpiryInterval ?? 0)
}

export const accept = { check, openSession, holdWill, ended }
