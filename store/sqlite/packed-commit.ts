// A commit on its way from the event loop to the writer thread: its bytes lie in memory that both see, the rest is one
// row of numbers. Objects and buffers in a message are taken apart and put together again, which costs the two threads
// about as much as a small commit's statements; and large bodies would be copied three times.
import type { Block } from '../block.ts'
import type { Commit, Statement } from '../engine.ts'

const MEMORY_BYTES = 2 * 1024 * 1024 // more than a usual commit's bytes
const NONE = -1

/** What is known of a block, and how many bytes of its body, devices and streams lie in the memory, in this order. */
type PackedBlock = readonly [
  count: number,
  kinds: number,
  severity: number,
  atMin: number,
  atMax: number,
  bodyBytes: number,
  devicesBytes: number,
  /** -1: there are none. */
  streamsBytes: number
]

export type PackedCommit = readonly [
  block: PackedBlock | null,
  statements: readonly Statement[],
  /** The memory from this commit on; null: still that of the one before. */
  memory: SharedArrayBuffer | null
]

/** Packs on the event loop. There is one commit at a time, so one place for its bytes is enough. */
export class CommitPacker {
  #memory = new Uint8Array(new SharedArrayBuffer(MEMORY_BYTES))
  #told = false

  pack({ block, statements }: Commit): PackedCommit {
    const packed = block && this.#put(block)
    const memory = this.#told ? null : this.#memory.buffer
    this.#told = true
    return [packed, statements, memory]
  }

  #put({ count, kinds, severity, atMin, atMax, body, devices, streams }: Block): PackedBlock {
    this.#reserve(body.length + devices.length + (streams?.length ?? 0))
    this.#memory.set(body)
    this.#memory.set(devices, body.length)
    if (streams !== null) this.#memory.set(streams, body.length + devices.length)
    return [count, kinds, severity, atMin, atMax, body.length, devices.length, streams?.length ?? NONE]
  }

  /** A commit that is unusually large has memory of its own, which goes with it. */
  #reserve(bytes: number): void {
    const wanted = Math.max(bytes, MEMORY_BYTES)
    if (this.#memory.length === wanted) return
    this.#memory = new Uint8Array(new SharedArrayBuffer(wanted))
    this.#told = false
  }
}

/** Unpacks on the writer thread. What it returns holds until the next commit. */
export class CommitUnpacker {
  #memory = new Uint8Array(new SharedArrayBuffer(0))

  unpack([block, statements, memory]: PackedCommit): Commit {
    if (memory !== null) this.#memory = new Uint8Array(memory)
    return { block: block && this.#take(block), statements }
  }

  #take(block: PackedBlock): Block {
    const [count, kinds, severity, atMin, atMax, bodyBytes, devicesBytes, streamsBytes] = block
    const devicesAt = bodyBytes
    const streamsAt = devicesAt + devicesBytes
    const body = this.#memory.subarray(0, bodyBytes)
    const devices = this.#memory.subarray(devicesAt, streamsAt)
    const streams = streamsBytes === NONE ? null : this.#memory.subarray(streamsAt, streamsAt + streamsBytes)
    return { count, kinds, severity, atMin, atMax, streams, devices, body }
  }
}
