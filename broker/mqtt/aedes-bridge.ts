// aedes with this room's hooks. It is given CONNECT and DISCONNECT of each client: it goes through the handshake as far as
// the will, watches keep alive, and knows whether and when a will is due. All else of it is switched off.
import { randomBytes } from 'node:crypto'
import { Aedes } from 'aedes'
import { writeToStream } from 'mqtt-packet'
import type { Logger } from 'pino'
import type { AedesBroker, AedesClient, TakeIn } from './aedes-internals.ts'
import { AedesSocket } from './aedes-socket.ts'
import type { ConnectPacket, DisconnectPacket } from './client-packets.ts'
import type { Connection } from './connection.ts'
import { aedesPersistence } from './persistence.ts'
import { reason, type ReasonCode } from './reason-codes.ts'

export interface AedesBridgeOptions {
  settings: { packetBytesMax: number; sessionExpiryMaxS: number }
  logger: Logger
  /** aedes agrees so far: takes the session over and loads it, then calls back. */
  openSession(connection: Connection, next: () => void): Promise<void>
  /** aedes agrees to the client: what is left is to store its will, and CONNACK. */
  onAccepted: (client: AedesClient) => void
  /** The client said goodbye: its will is not published. */
  discardWill: (key: string) => void
  /** The connection ended without a goodbye; its will is due after a delay, which may be 0. */
  onWillDue: (client: AedesClient, delayS: number) => void
}

/** The aedes broker of a server. */
export class AedesBridge {
  readonly #broker: AedesBroker
  readonly #options: AedesBridgeOptions
  /** How aedes takes packets in: the same function for all clients. */
  #takeIn: TakeIn | null = null

  private constructor(broker: AedesBroker, options: AedesBridgeOptions) {
    this.#broker = broker
    this.#options = options
    this.#wire()
  }

  static async create(options: AedesBridgeOptions): Promise<AedesBridge> {
    const { settings, logger } = options
    writeToStream.cacheNumbers = false // megabytes of small buffers, for packets that are hardly ever written
    const broker = await Aedes.createBroker({
      id: randomBytes(8).toString('hex'),
      mq: silentEmitter,
      persistence: aedesPersistence(options),
      keepaliveLimit: 0,
      maxClientsIdLength: 65_535,
      maximumPacketSize: settings.packetBytesMax,
      sessionExpiryIntervalLimit: settings.sessionExpiryMaxS,
      authenticate: (client, _user, _password, done) => {
        const { connection } = client as unknown as AedesClient
        // aedes comes to it in a later turn: one that is over by now must not end the connection that holds the session.
        if (connection.state === 'closed') return
        options
          .openSession(connection, () => done(null, true))
          .catch((error: unknown) => {
            logger.error({ err: error }, 'could not load an MQTT session')
            connection.refuse(
              { code: reason.serverUnavailable, returnCode: 3 },
              'the session could not be loaded'
            )
          })
      }
    })
    return new AedesBridge(broker as unknown as AedesBroker, options)
  }

  /** Gives aedes a CONNECT that has passed our own checks, with the session key as its client id. */
  connect(connection: Connection, packet: ConnectPacket): void {
    const client = this.#broker.handle(new AedesSocket(connection))
    connection.client = client
    client.connection = connection
    if (connection.serverKeepaliveS !== null) client._serverKeepAlive = connection.serverKeepaliveS
    this.#takeIn ??= takeInOf(client)
    slim(client)
    this.#give(client, packet)
  }

  /** Gives aedes a DISCONNECT: it ends the connection, and keeps or drops the will. */
  disconnect({ client }: Connection, packet: DisconnectPacket): void {
    // aedes keeps the will for 0x04 only, but every code except 0x00 leaves it in force [MQTT-3.14.4-3].
    const reasonCode = packet.reasonCode === 0 ? 0 : 0x04
    if (client !== null) this.#give(client, { ...packet, reasonCode })
  }

  close(): Promise<void> {
    return new Promise(resolve => this.#broker.close(resolve))
  }

  #wire(): void {
    const broker = this.#broker
    const { logger, onWillDue } = this.#options
    broker.clients = Object.create(null) as AedesBroker['clients']
    broker.brokers = Object.create(null) as AedesBroker['brokers']
    // What aedes would publish, wills and its $SYS news among it, does not come back through it.
    broker.publish = (_packet, client, done) => (typeof client === 'function' ? client() : done?.(null))
    broker.publishWill = client => onWillDue(client, 0)
    broker.scheduleWill = (client, _will, delayS) => onWillDue(client, delayS)
    broker.scheduleSessionExpiry = () => undefined
    broker.on('connackSent', (connack: { reasonCode?: number; returnCode?: number }, client: AedesClient) =>
      refuse(client, connack.reasonCode ?? connack.returnCode ?? 0)
    )
    broker.on('keepaliveTimeout', ({ connection }: AedesClient) =>
      connection.end(reason.keepAliveTimeout, 'keepalive-timeout')
    )
    for (const event of ['clientError', 'connectionError'] as const) {
      broker.on(event, ({ connection }: AedesClient, error: Error) => {
        logger.debug({ client: connection.key, err: error }, 'MQTT connection failed')
      })
    }
    broker.on('error', (error: Error) => logger.error({ err: error }, 'aedes reports an error'))
  }

  #give(client: AedesClient, packet: ConnectPacket | DisconnectPacket): void {
    client._parsingBatch = 0
    this.#takeIn?.call({ client, _queue: [] }, packet)
  }
}

// aedes says it to its socket, which writes nothing.
function refuse({ connection }: AedesClient, code: number): void {
  const refusal = { code: code as ReasonCode, returnCode: code }
  connection.refuse(refusal, 'the CONNECT asks for what is not offered')
}

const nothing = Object.freeze(Object.create(null) as object)
const noop = () => undefined
const idleParser = { _queue: null, removeAllListeners: noop }

// Most of a client is for what aedes does not do here. Thousands of them should not hold parsers and closures.
function slim(client: AedesClient): void {
  Object.assign(client, {
    _parser: idleParser,
    _topicAliases: null,
    _eos: noop,
    subscriptions: nothing,
    duplicates: nothing,
    deliver0: noop,
    deliverQoS: noop,
    _nextBatch: noop
  })
}

function takeInOf(client: AedesClient): TakeIn {
  const [takeIn] = client._parser.listeners('packet')
  if (takeIn === undefined) throw new Error('aedes takes no packets: not the version this was made for')
  return takeIn
}

/** aedes' emitter: nothing goes through it, for what clients get comes from the log. */
const silentEmitter = {
  current: 0,
  concurrency: 0,
  on(_topic: string, _listener: unknown, done?: () => void) {
    if (done !== undefined) setImmediate(done)
    return this
  },
  removeListener(_topic: string, _listener: unknown, done?: () => void) {
    if (done !== undefined) setImmediate(done)
    return this
  },
  emit(_packet: unknown, done?: () => void) {
    if (done !== undefined) setImmediate(done)
    return this
  },
  close(done: () => void) {
    setImmediate(done)
  }
}
