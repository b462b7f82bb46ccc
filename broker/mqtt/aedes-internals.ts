// What this room relies on of aedes' insides, beyond its public interface. The version is pinned exactly; when it
// changes, each line here is to be looked at.
import type { Duplex } from 'node:stream'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { IConnectPacket } from 'mqtt-packet'
import type { Connection } from './connection.ts'

/** mqtt-packet's parser as aedes uses it: it emits every parsed packet, CONNECT included. */
export interface AedesParser extends EventEmitter {
  /** Takes a chunk; returns how many bytes are left over, an unfinished packet. */
  parse(chunk: Buffer): number
  /** The packet that is being read; its length is -1 until its header has come. */
  packet: { length: number }
}

/** A client of aedes, one for each connection, from `handle` on. */
export interface AedesClient extends EventEmitter {
  /** After CONNECT: the client id, which we set to the session key. */
  id: string | null
  conn: Duplex
  connected: boolean
  sessionExpiryInterval: number
  receiveMaximum: number
  maximumPacketSize: number | undefined
  _parser: AedesParser
  _keepaliveTimer: NodeJS.Timeout | null
  /** Keep alive in place of the client's own, seconds; CONNACK tells it. */
  _serverKeepAlive?: number
  _assignedClientId: string | undefined
  /** Ours: the connection in this room's eyes. */
  connection?: Connection
  close(done?: () => void): void
}

export type Will = NonNullable<IConnectPacket['will']>

/** The broker object, with the methods that are replaced on it. */
export interface AedesBroker extends EventEmitter {
  clients: Record<string, AedesClient>
  brokers: Record<string, number>
  handle(conn: Duplex, request?: IncomingMessage): AedesClient
  publish(packet: unknown, client?: unknown, done?: (error?: Error | null) => void): void
  publishWill(client: AedesClient, will: Will): void
  scheduleWill(client: AedesClient, will: Will, delayS: number): void
  scheduleSessionExpiry(client: AedesClient): void
  close(done?: () => void): void
}

export type { IConnectPacket }
