// Keeps what one client sends in order, and stops reading from it while it sends more than may be under way: too many
// unfinished publishes, a full log, a SUBSCRIBE that is being stored, or answers that it does not read.
import type { Duplex } from 'node:stream'
import type { ClientPacket } from './client-packets.ts'
import type { RoomQueue, RoomWaiter } from './room-queue.ts'

export interface IntakeLimits {
  room: RoomQueue
  /** Most unfinished publishes of one connection; it is not read from while there are more. */
  receiveMax: number
}

/** Who handles the packets, one after the other. */
export interface PacketHandler {
  handlePacket(packet: ClientPacket): void
}

/** Bytes taken from a client that does not read its answers; then it is not read from until it does. */
const UNHEARD_BYTES_MAX = 65_536

const nothing = Object.freeze<ClientPacket[]>([]) as ClientPacket[]

/** The packets of one connection on their way from the reader to whoever handles them. */
export class Intake implements RoomWaiter {
  /** Whether what comes is handled; until then, and from the end on, it is not. */
  #state: 'waiting' | 'open' | 'closed' = 'waiting'
  readonly #socket: Duplex
  readonly #limits: IntakeLimits
  readonly #handler: PacketHandler
  /** What waits, for CONNACK or behind a packet that waits itself, from `#heldAt` on. */
  #held: ClientPacket[] = nothing
  #heldAt = 0
  /** Whether a SUBSCRIBE or UNSUBSCRIBE is being handled. */
  #blocked = false
  #goingOn = false
  #paused = false
  #waitsForRoom = false
  #unheardBytes = 0
  #unfinishedPublishes = 0

  constructor(socket: Duplex, limits: IntakeLimits, handler: PacketHandler) {
    this.#socket = socket
    this.#limits = limits
    this.#handler = handler
  }

  /** Whether the connection is not read from because the log is full or slow. */
  get waitsForLog(): boolean {
    if (!this.#paused) return false
    return this.#waitsForRoom || this.#blocked || this.#holds || this.#unfinishedPublishes > 0
  }

  /** Takes a packet: to be handled now, or when its turn has come. */
  take(packet: ClientPacket): void {
    if (this.#state === 'closed') return
    if (this.#state === 'waiting' || this.#holds || this.#blocked || this.#goingOn) this.#hold(packet)
    else if (this.#mustWait(packet)) this.#hold(packet)
    else this.#handler.handlePacket(packet)
  }

  /** The client is accepted: what was held goes on, in order. */
  open(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'open'
    this.#goOn()
  }

  /** Nothing is handled any more. */
  close(): void {
    this.#state = 'closed'
    this.#dropHeld()
    this.#limits.room.delete(this)
  }

  /** Nothing is handled until `unblock`. */
  block(): void {
    this.#blocked = true
  }

  unblock(): void {
    this.#blocked = false
    this.#goOn()
  }

  /** A publish is on its way to the log; SUBSCRIBE waits for it, and with too many of them reading does. */
  publishBegun(): void {
    this.#unfinishedPublishes++
    if (this.#unfinishedPublishes >= this.#limits.receiveMax) this.#pause()
  }

  publishFinished(): void {
    const left = --this.#unfinishedPublishes
    if (this.#state !== 'open') return
    if (left === 0 && this.#holds && !this.#blocked) this.#goOn()
    else if (this.#paused && left * 2 <= this.#limits.receiveMax) this.#resume()
  }

  /** So much waits for commit that this connection is not read from until there is room. */
  waitForRoom(): void {
    if (this.#waitsForRoom) return
    this.#waitsForRoom = true
    this.#pause()
    this.#limits.room.add(this)
  }

  onRoom(): void {
    this.#waitsForRoom = false
    this.#goOn()
  }

  /** So many bytes came from a client that has its answers still to read. */
  unheard(bytes: number): void {
    this.#unheardBytes += bytes
    if (this.#unheardBytes > UNHEARD_BYTES_MAX) this.#pause()
  }

  /** The client reads what it is sent. */
  heard(): void {
    this.#unheardBytes = 0
    this.#resume()
  }

  // A subscription takes effect after the client's own earlier publishes and before its later ones.
  #mustWait({ cmd }: ClientPacket): boolean {
    if (cmd === 'publish' && this.#limits.room.full) {
      this.waitForRoom()
      return true
    }
    return this.#unfinishedPublishes > 0 && (cmd === 'subscribe' || cmd === 'unsubscribe')
  }

  get #holds(): boolean {
    return this.#heldAt < this.#held.length
  }

  #dropHeld(): void {
    this.#held = nothing
    this.#heldAt = 0
  }

  #hold(packet: ClientPacket): void {
    if (this.#held === nothing) this.#held = []
    this.#held.push(packet)
    this.#pause()
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  // Reads on, if nothing else stands against it.
  #resume(): void {
    if (!this.#paused || this.#state !== 'open' || this.#waitsForRoom || this.#blocked) return
    if (this.#holds || this.#unheardBytes > UNHEARD_BYTES_MAX) return
    if (this.#unfinishedPublishes >= this.#limits.receiveMax) return
    this.#paused = false
    this.#socket.resume()
  }

  // Handles what is held, in order, as far as it goes. What comes in meanwhile is held behind it. There may be very many
  // small packets: taking each from the front of the list would move all the others every time.
  #goOn(): void {
    if (this.#goingOn) return
    this.#goingOn = true
    while (this.#state === 'open' && !this.#blocked) {
      const packet = this.#held[this.#heldAt]
      if (packet === undefined || this.#mustWait(packet)) break
      this.#heldAt++
      this.#handler.handlePacket(packet)
    }
    if (!this.#holds) this.#dropHeld()
    this.#goingOn = false
    this.#resume()
  }
}
