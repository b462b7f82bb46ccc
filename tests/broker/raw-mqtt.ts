// A bare MQTT connection for tests: packets in and out one by one, nothing done by itself.
import net from 'node:net'
import { generate, parser, type Packet } from 'mqtt-packet'
import { eventually } from '../helpers/eventually.ts'

export interface RawMqtt {
  readonly socket: net.Socket
  readonly packets: Packet[]
  readonly closed: boolean
  /** Every byte that came in so far. */
  readonly received: Buffer
  /** Sends packets in one segment. */
  send(...packets: object[]): void
  /** Sends bytes as they are, in one segment. */
  sendBytes(...parts: Uint8Array[]): void
  /** Resolves when the connection is closed. */
  end(): Promise<void>
  /** The first packet of this kind that was not asked for yet. */
  next<Cmd extends Packet['cmd']>(cmd: Cmd): Promise<Extract<Packet, { cmd: Cmd }>>
  /** All packets of this kind so far. */
  all<Cmd extends Packet['cmd']>(cmd: Cmd): Extract<Packet, { cmd: Cmd }>[]
}

/** Opens a connection; nothing is sent before `send`. */
export async function rawMqtt(port: number, protocolVersion: 3 | 4 | 5 = 4): Promise<RawMqtt> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  const packets: Packet[] = []
  const chunks: Buffer[] = []
  const taken = new Set<Packet>()
  const reader = parser({ protocolVersion })
  let closed = false
  reader.on('packet', (packet: Packet) => packets.push(packet))
  socket.on('data', data => {
    chunks.push(data)
    reader.parse(data)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => (closed = true))
  await new Promise<void>(resolve => socket.once('connect', () => resolve()))
  const ofKind = (cmd: string) => packets.filter(packet => packet.cmd === cmd)
  return {
    socket,
    packets,
    get closed() {
      return closed
    },
    get received() {
      return Buffer.concat(chunks)
    },
    send(...sent) {
      socket.write(Buffer.concat(sent.map(packet => generate(packet as Packet, { protocolVersion }))))
    },
    sendBytes(...parts) {
      socket.write(Buffer.concat(parts))
    },
    async end() {
      await eventually(() => closed, { what: 'the end of the connection' })
    },
    async next(cmd) {
      const packet = await eventually(() => ofKind(cmd).find(candidate => !taken.has(candidate)), {
        what: cmd
      })
      taken.add(packet)
      return packet as never
    },
    all: cmd => ofKind(cmd) as never
  }
}

/** A CONNECT with a keep alive of 0. */
export function connectPacket(clientId: string, protocolVersion: 3 | 4 | 5 = 4, more: object = {}): object {
  return {
    cmd: 'connect',
    protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion,
    clientId,
    clean: true,
    keepalive: 0,
    ...more
  }
}
