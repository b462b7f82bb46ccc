// A TCP proxy that treats each connection as a bad network would: late, in pieces, cut off, or silent without an end.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { Random } from '../helpers/random.ts'

/** What becomes of a connection. */
export type Fate =
  /** Everything comes some time later, until a reset. */
  | 'late'
  /** Everything comes in pieces of a few bytes, until a reset. */
  | 'in pieces'
  /** Both sides get a reset after some bytes. */
  | 'reset'
  /** After some bytes nothing comes any more; the device gets a reset a while later, the server never hears of it. */
  | 'half-open'

const fates: readonly [Fate, ...Fate[]] = ['late', 'in pieces', 'reset', 'half-open']
const LATE_MAX_MS = 150
const PIECE_BYTES_MAX = 7
const BYTES_MAX = 20_000
const SILENCE_MAX_MS = 1500

export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: number
  readonly #random: Random
  readonly #sockets = new Set<Socket>()
  /** Connections by what became of them. */
  readonly counts: Record<Fate, number> = { late: 0, 'in pieces': 0, reset: 0, 'half-open': 0 }
  /** Whether it still does harm; else it is a proxy like any other. */
  faulty = true

  private constructor(server: Server, target: number, seed: number) {
    this.#server = server
    this.#target = target
    this.#random = new Random(seed)
  }

  /** A proxy in front of a port of this machine; `seed` repeats the fates. */
  static async start(target: number, seed: number): Promise<FaultyProxy> {
    const server = createServer({ noDelay: true })
    const proxy = new FaultyProxy(server, target, seed)
    server.on('connection', socket => proxy.#accept(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections that the server still has and whose device is gone. */
  get dangling(): number {
    return [...this.#sockets].filter(socket => socket.remotePort === this.#target && !socket.destroyed).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #accept(device: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const fate = this.faulty ? this.#random.of(fates) : null
    if (fate !== null) this.counts[fate]++
    const link: Link = {
      device,
      server,
      fate,
      lateMs: this.#random.below(LATE_MAX_MS),
      bytesLeft: this.#random.below(BYTES_MAX),
      silenceMs: this.#random.below(SILENCE_MAX_MS),
      silent: false
    }
    for (const socket of [device, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {}) // "close" follows
      socket.on('close', () => {
        this.#sockets.delete(socket)
        if (!link.silent) (socket === device ? server : device).destroy()
      })
    }
    device.on('data', chunk => this.#pass(link, chunk, server))
    server.on('data', chunk => this.#pass(link, chunk, device))
  }

  #pass(link: Link, chunk: Buffer, to: Socket): void {
    if (link.silent) return
    link.bytesLeft -= chunk.length
    switch (link.fate) {
      case null:
        to.write(chunk)
        return
      case 'late':
        if (link.bytesLeft <= 0) setTimeout(() => cutOff(link), link.lateMs)
        setTimeout(() => to.writable && to.write(chunk), link.lateMs)
        return
      case 'in pieces':
        for (let at = 0; at < chunk.length;) {
          const bytes = 1 + this.#random.below(PIECE_BYTES_MAX)
          to.write(chunk.subarray(at, at + bytes))
          at += bytes
        }
        if (link.bytesLeft <= 0) cutOff(link)
        return
      case 'reset':
        if (link.bytesLeft > 0) to.write(chunk)
        else cutOff(link)
        return
      case 'half-open':
        if (link.bytesLeft > 0) to.write(chunk)
        else {
          link.silent = true
          setTimeout(() => link.device.resetAndDestroy(), link.silenceMs)
        }
    }
  }
}

/** Both sides get a reset. */
function cutOff({ device, server }: Link): void {
  for (const socket of [device, server]) socket.resetAndDestroy()
}

interface Link {
  device: Socket
  server: Socket
  fate: Fate | null
  /** The same for all bytes, so that they stay in order. */
  lateMs: number
  bytesLeft: number
  silenceMs: number
  silent: boolean
}
