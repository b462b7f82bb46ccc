// Where each device's streams stand. Positions live in memory; a block carries those it moved, and now and then they
// are folded into the table `stream`, so that no commit writes a row for each device.
import type { Statements } from './statements.ts'
import { checkStreams } from './block-seal.ts'
import type { Statement } from './engine.ts'
import { MsgpackReader } from './msgpack-reader.ts'
import type { MsgpackWriter } from './msgpack-writer.ts'

const FOLD_ROWS = 256 // rows of one fold commit: a millisecond or two of the writer's time

interface Position {
  device: string
  name: string
  /** Highest committed sequence. */
  seq: number
  /** Highest sequence in the commit that is being made. */
  pending: number
  /** Whether `seq` moved since it was last folded. */
  dirty: boolean
}

/** A sequence that a device's stream reached. */
export interface StreamStep {
  device: string
  name: string
  seq: number
}

interface StreamedDraft {
  draft: { device: string }
  streamName: string | null
  streamSeq: number
}

export class StreamPositions {
  readonly #devices = new Map<string, Map<string, Position>>()
  #moved: Position[] = []
  #dirty: Position[] = []

  /** Highest committed sequence, 0 if none. */
  get(device: string, name: string): number {
    return this.#devices.get(device)?.get(name)?.seq ?? 0
  }

  /** Number of streams of a device. */
  count(device: string): number {
    return this.#devices.get(device)?.size ?? 0
  }

  /** Takes in a position that was read from the table or from a block. */
  load({ device, name, seq }: StreamStep, dirty: boolean): void {
    const position = this.#position(device, name)
    if (seq <= position.seq) return
    position.seq = seq
    if (dirty) this.#mark(position)
  }

  /** Takes in a block's `streams`. Throws `store-unreadable` when they are damaged. */
  loadBlock(streams: Uint8Array): void {
    for (const step of readSteps(streams)) this.load(step, true)
  }

  /** Writes the highest sequence of each stream of a commit; null when there is none. `commit` must follow. */
  encode(writer: MsgpackWriter, drafts: readonly StreamedDraft[]): Uint8Array | null {
    this.#moved = []
    for (const { draft, streamName, streamSeq } of drafts) {
      if (streamName === null) continue
      const position = this.#position(draft.device, streamName)
      if (position.pending === 0) this.#moved.push(position)
      if (streamSeq > position.pending) position.pending = streamSeq
    }
    if (this.#moved.length === 0) return null
    writer.reserve(5)
    writer.array32(this.#moved.length * 3)
    for (const { device, name, pending } of this.#moved) {
      writer.reserve((device.length + name.length) * 3 + 24)
      writer.text(device)
      writer.text(name)
      writer.uint64(pending)
    }
    return writer.take()
  }

  /** Ends the commit that `encode` began: its positions hold, or (`committed` false) never did. */
  settle(committed: boolean): void {
    for (const position of this.#moved) {
      if (committed && position.pending > position.seq) {
        position.seq = position.pending
        this.#mark(position)
      }
      position.pending = 0
    }
    this.#moved = []
  }

  /**
   * Groups of statements that bring the table up to `upTo`, the highest committed sequence now. To be committed in
   * order; the last one says that it is done. A row may be ahead of `upTo`, which does no harm: positions only rise.
   */
  *fold(statements: Statements, upTo: number): Generator<Statement[]> {
    const dirty = this.#dirty
    this.#dirty = []
    for (let from = 0; from < dirty.length; from += FOLD_ROWS) {
      yield dirty.slice(from, from + FOLD_ROWS).map(position => {
        position.dirty = false
        return statements.putStream(position.device, position.name, position.seq)
      })
    }
    yield [statements.folded(upTo)]
  }

  #mark(position: Position): void {
    if (position.dirty) return
    position.dirty = true
    this.#dirty.push(position)
  }

  #position(device: string, name: string): Position {
    let streams = this.#devices.get(device)
    if (streams === undefined) this.#devices.set(device, (streams = new Map()))
    let position = streams.get(name)
    if (position === undefined)
      streams.set(name, (position = { device, name, seq: 0, pending: 0, dirty: false }))
    return position
  }
}

function* readSteps(streams: Uint8Array): Generator<StreamStep> {
  const reader = new MsgpackReader(streams)
  const steps = reader.array() / 3
  for (let index = 0; index < steps; index++)
    yield { device: reader.text(), name: reader.text(), seq: reader.number() ?? 0 }
  checkStreams(streams, reader.at)
}
