// The newest committed blocks, in memory up to a limit of bytes, for followers and reads that are a little behind. They
// are held as encoded: kept as objects, every event would outlive the garbage collector's cheap first passes, which
// cost more than decoding again what few ask for. And they are held in memory that is used again and again: with memory
// of its own each block would count as garbage later, and the collector goes through all old objects when there is
// enough of it.
import type { BlockHead } from './block-reader.ts'
import { StoreError } from './errors.ts'
import { MsgpackReader } from './msgpack-reader.ts'
import { readEntry } from './entry-codec.ts'
import type { Batch } from './store.ts'
import type { Notification } from './notification.ts'

const HELD_BYTES = 300 // what a block costs beside its bytes, about
// Blocks kept decoded: those that catch up together ask for the same ones.
const DECODED_MAX = 4

/** A committed block. One that the window returns holds until the next is pushed. */
export interface RecentBlock extends BlockHead {
  body: Uint8Array
}

interface Held extends Omit<BlockHead, 'devices'> {
  /** Where in the memory the body begins; the devices follow it. */
  at: number
  bodyBytes: number
  devicesBytes: number
}

export class RecentWindow {
  readonly #bytesMax: number
  /** A ring; what was not written yet takes no room in the system's memory. */
  readonly #memory: Buffer
  #end = 0 // where the newest block ends
  readonly #held: Held[] = []
  #start = 0 // index of the oldest that is held; those before it are cut off now and then
  #bytes = 0
  /** The last to be asked for comes last. */
  readonly #decoded: Batch[] = []

  /** `bytesMax`: of all blocks. Throws `memory-short` when the system does not give so much. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#memory = allocate(bytesMax)
  }

  /** Adds the block that follows the newest one. */
  push({ first, last, kinds, severity, devices, body }: RecentBlock): void {
    const [bodyBytes, devicesBytes] = [body.length, devices.length]
    const at = this.#makeRoom(bodyBytes + devicesBytes)
    if (at === null) return
    this.#memory.set(body, at)
    this.#memory.set(devices, at + bodyBytes)
    this.#end = at + bodyBytes + devicesBytes
    const held = { first, last, kinds, severity, at, bodyBytes, devicesBytes }
    this.#held.push(held)
    this.#bytes += sizeOf(held)
    while (this.#bytes > this.#bytesMax && this.#oldest !== undefined) this.#drop()
  }

  /** Forgets blocks that lie before `seq` altogether. */
  forgetBefore(seq: number): void {
    while ((this.#oldest?.last ?? seq) < seq) this.#drop()
  }

  /** The oldest sequence that is here; nothing newer is missing. Infinite when nothing is here. */
  get first(): number {
    return this.#oldest?.first ?? Number.POSITIVE_INFINITY
  }

  /** Whether the block that holds `seq` is here. */
  has(seq: number): boolean {
    return this.#find(seq) !== null
  }

  /** The batch that holds `seq`, or null. */
  batch(seq: number): Batch | null {
    const held = this.#find(seq)
    if (held === null) return null
    const known = this.#decoded.findIndex(({ first }) => first === held.first)
    const [batch = decode(this.#viewOf(held))] = known < 0 ? [] : this.#decoded.splice(known, 1)
    this.#decoded.push(batch)
    if (this.#decoded.length > DECODED_MAX) this.#decoded.shift()
    return batch
  }

  /** The block that holds `seq`, or null. */
  block(seq: number): RecentBlock | null {
    const held = this.#find(seq)
    return held && this.#viewOf(held)
  }

  #find(seq: number): Held | null {
    let low = this.#start
    let high = this.#held.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const held = this.#held[middle]
      if (held === undefined) return null
      if (seq < held.first) high = middle - 1
      else if (seq > held.last) low = middle + 1
      else return held
    }
    return null
  }

  get #oldest(): Held | undefined {
    return this.#held[this.#start]
  }

  /** Drops what is in the way of so many bytes after the newest block, and says where they go; null: nowhere. */
  #makeRoom(bytes: number): number | null {
    const size = this.#memory.length
    const wraps = this.#end + bytes > size
    // Where the newest lies before the oldest, those between here and the memory's end are the oldest.
    if (wraps) while ((this.#oldest?.at ?? -1) >= this.#end) this.#drop()
    const at = wraps ? 0 : this.#end
    while (this.#oldest && this.#oldest.at >= at && this.#oldest.at < at + bytes) this.#drop()
    return bytes > size ? null : at
  }

  #viewOf({ first, last, kinds, severity, at, bodyBytes, devicesBytes }: Held): RecentBlock {
    const devicesAt = at + bodyBytes
    const body = this.#memory.subarray(at, devicesAt)
    const devices = this.#memory.subarray(devicesAt, devicesAt + devicesBytes)
    return { first, last, kinds, severity, devices, body }
  }

  #drop(): void {
    if (this.#oldest !== undefined) this.#bytes -= sizeOf(this.#oldest)
    this.#start++
    if (this.#start * 2 < this.#held.length && this.#start < this.#held.length) return
    this.#held.splice(0, this.#start)
    this.#start = 0
  }
}

function allocate(bytes: number): Buffer {
  try {
    return Buffer.allocUnsafeSlow(bytes)
  } catch (cause) {
    const message = `the system gives no ${bytes} bytes of memory for recent notifications; set store.recentBytesMax lower`
    throw new StoreError('memory-short', message, { cause })
  }
}

function sizeOf({ bodyBytes, devicesBytes }: Held): number {
  return bodyBytes + devicesBytes + HELD_BYTES
}

/** In memory of its own, which the batch's payloads keep. */
function decode({ first, last, body }: RecentBlock): Batch {
  const reader = new MsgpackReader(new Uint8Array(body))
  const items: Notification[] = []
  const count = reader.array()
  for (let index = 0; index < count; index++) items.push(readEntry(reader, first + index))
  return { first, last, items }
}
