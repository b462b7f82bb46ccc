// What this room relies on of aedes' insides, beyond its public interface. The version is pinned exactly; when it
// changes, each line here is to be looked at.
import type { EventEmitter } from 'node:events'
import type { AedesSocket } from './aedes-socket.ts'
import type { ConnectPacket, ConnectWill, DisconnectPacket } from './client-packets.ts'
import type { Connection } from './connection.ts'

/** mqtt-packet's parser as aedes uses it; its one `packet` listener takes packets in, with the parser as `this`. */
export interface AedesParser {
  listeners(event: 'packet'): TakeIn[]
}

/** How aedes takes a packet in. */
export type TakeIn = (
  this: { client: AedesClient; _queue: unknown[] },
  packet: ConnectPacket | DisconnectPacket
) => void

/** A client of aedes: made with the socket (ours is none), and told packets from CONNECT on. */
export interface AedesClient extends EventEmitter {
  /** After CONNECT: the client id, which we set to the session key. */
  id: string | null
  connected: boolean
  connecting: boolean
  sessionExpiryInterval: number
  receiveMaximum: number
  maximumPacketSize: number | undefined
  /** What CONNECT said, until the client is accepted. */
  _will: Will | undefined
  /** Whether `sessionExpiryInterval` is not what CONNECT asked for. */
  _sessionExpiryClamped: boolean
  _parser: AedesParser
  /** Packets that aedes is at; the first one it takes must be the only one. */
  _parsingBatch: number
  /** Reads on from the socket. */
  _nextBatch: (error?: Error | null) => void
  _keepaliveTimer: NodeJS.Timeout | null
  /** Keep alive in place of the client's own, seconds; CONNACK tells it. */
  _serverKeepAlive?: number
  /** What CONNECT asked for, seconds. */
  _connectSessionExpiryInterval: number
  /** Ours: the connection in this room's eyes. */
  connection: Connection
  close(done?: () => void): void
}

export type Will = ConnectWill

/** The broker object, with the methods that are replaced on it. */
export interface AedesBroker extends EventEmitter {
  clients: Record<string, AedesClient>
  brokers: Record<string, number>
  handle(socket: AedesSocket): AedesClient
  publish(packet: unknown, client?: unknown, done?: (error?: Error | null) => void): void
  publishWill(client: AedesClient, will: Will): void
  scheduleWill(client: AedesClient, will: Will, delayS: number): void
  scheduleSessionExpiry(client: AedesClient): void
  close(done?: () => void): void
}
