// Judges from a process's system calls whether it said "acknowledged" of anything that was not on the disk yet. An event is on
// the disk when its bytes were written into the write-ahead file, its transaction's last frame after them, and an fsync of
// that file that began after both has ended. Nothing of the server's code is asked.
import { parser as mqttParser, type Packet } from 'mqtt-packet'
import { decodeServerFrame, FrameReader } from '../../broker/tcp/frame-codec.ts'
import type { SystemCall, TraceEvent } from './system-calls.ts'

const WAL_FRAME_HEADER_BYTES = 24
const marks = /[a-z0-9]+#\d+;/g

/** An event's mark: text that its payload holds twice, so that a border of pages leaves one of them whole. */
export function markOf(client: string, n: number): string {
  return `${client}#${n};`
}

export type Protocol = 'mqtt' | 'tcp' | 'http'

export interface TracedClient {
  name: string
  protocol: Protocol
  /** By which its connection is found in the trace. */
  localPort: number
}

export interface Verdict {
  /** Acknowledgements by protocol. */
  acknowledged: Record<Protocol, number>
  /** Of them, those that came before the event was on the disk. */
  early: Record<Protocol, number>
  /** Ends of fsyncs of the write-ahead file. */
  syncs: number
}

export class DurabilityJudge {
  readonly #clients: Map<number, { client: TracedClient; read: (bytes: Buffer) => number[] }>
  readonly #early: Record<Protocol, number> = { mqtt: 0, tcp: 0, http: 0 }
  readonly #acknowledged: Record<Protocol, number> = { mqtt: 0, tcp: 0, http: 0 }
  #syncs = 0
  /** Marks in pages of a transaction whose last frame has not been written. */
  #written: string[] = []
  /** Marks of whole transactions, not synced. */
  #committed: string[] = []
  readonly #durable = new Set<string>()
  readonly #syncing = new Map<SystemCall, number>()
  /** Whether the next page is the last of its transaction. */
  #lastFrame = false

  constructor(clients: readonly TracedClient[]) {
    this.#clients = new Map(
      clients.map(client => [client.localPort, { client, read: acknowledgementsIn(client.protocol) }])
    )
  }

  take({ at, call }: TraceEvent): void {
    if (call.descriptor.endsWith('tocsin.db-wal')) this.#takeFile(at, call)
    else if (at === 'begin') this.#takeSocket(call)
  }

  get verdict(): Verdict {
    return { acknowledged: this.#acknowledged, early: this.#early, syncs: this.#syncs }
  }

  #takeFile(at: 'begin' | 'end', call: SystemCall): void {
    if (call.name === 'fsync' || call.name === 'fdatasync') {
      if (at === 'begin') this.#syncing.set(call, this.#committed.length)
      else this.#synced(call)
    } else if (at === 'end') this.#wrote(call.bytes)
  }

  #wrote(bytes: Buffer): void {
    if (bytes.length === WAL_FRAME_HEADER_BYTES) {
      this.#lastFrame = bytes.readUInt32BE(4) !== 0
      return
    }
    for (const [mark] of bytes.toString('latin1').matchAll(marks))
      if (!this.#durable.has(mark)) this.#written.push(mark)
    if (!this.#lastFrame) return
    this.#committed.push(...this.#written)
    this.#written = []
  }

  #synced(call: SystemCall): void {
    const count = this.#syncing.get(call) ?? 0
    this.#syncing.delete(call)
    this.#syncs++
    for (const mark of this.#committed.splice(0, count)) this.#durable.add(mark)
  }

  #takeSocket({ descriptor, bytes }: SystemCall): void {
    const port = Number(/->[^\]]*:(\d+)\]$/.exec(descriptor)?.[1])
    const { client, read } = this.#clients.get(port) ?? {}
    if (client === undefined || read === undefined) return
    for (const n of read(bytes)) {
      this.#acknowledged[client.protocol]++
      if (!this.#durable.has(markOf(client.name, n))) this.#early[client.protocol]++
    }
  }
}

/** Reads what a server writes to a client; returns the numbers of the events it acknowledges. */
function acknowledgementsIn(protocol: Protocol): (bytes: Buffer) => number[] {
  switch (protocol) {
    case 'mqtt':
      return mqttAcknowledgements()
    case 'tcp':
      return tcpAcknowledgements()
    case 'http':
      return httpAcknowledgements()
  }
}

function mqttAcknowledgements(): (bytes: Buffer) => number[] {
  const reader = mqttParser({ protocolVersion: 4 })
  let found: number[] = []
  reader.on('packet', (packet: Packet) => {
    if ((packet.cmd === 'puback' || packet.cmd === 'pubrec') && packet.messageId !== undefined)
      found.push(packet.messageId)
  })
  return bytes => {
    found = []
    reader.parse(bytes)
    return found
  }
}

function tcpAcknowledgements(): (bytes: Buffer) => number[] {
  const reader = new FrameReader(2 ** 20)
  let last = 0
  return bytes => {
    const found: number[] = []
    reader.push(bytes)
    for (let frame = reader.next(); frame !== null; frame = reader.next()) {
      const message = Buffer.isBuffer(frame) ? decodeServerFrame(frame, { nestingMax: 8 }) : frame
      if (message.type === 'ack') while (last < message.seq) found.push(++last)
    }
    return found
  }
}

function httpAcknowledgements(): (bytes: Buffer) => number[] {
  let last = 0
  return bytes => {
    const answers = bytes.toString('latin1').match(/HTTP\/1\.1 200/g)?.length ?? 0
    return Array.from({ length: answers }, () => ++last)
  }
}
