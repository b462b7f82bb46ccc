// Merging of small blocks, by steps. The writer thread commits between them, so each takes it a few milliseconds at most.
import { BlockMerge, type Block } from '../block.ts'
import { bodyIsWhole } from '../block-seal.ts'
import { mergeRun } from '../merge-plan.ts'
import { headOf, type ReadHead } from './block-head.ts'
import type { WriterQueries } from './log-queries.ts'
import { isCorrupt } from './sqlite-errors.ts'

const PLANNED_MAX = 1024 // block heads read at a time: of small commits, what one merged block takes
const STEP_MS = 2 // after this much of reading a step ends; a block takes some hundredths

interface PlannedHead {
  first: number
  last: number
  bytes: number
}

/** Neighbouring blocks and the one that takes their place. */
export interface MergedRun {
  /** Where the first and the last of them begin. */
  first: number
  last: number
  blocks: number
  /** Bytes of their bodies. */
  bytes: number
  block: Block
}

export interface BlockMergerOptions {
  /** Rows that a statement finds. */
  all: (text: string, parameters: number[]) => Record<string, unknown>[]
  sql: Pick<WriterQueries, 'heads' | 'bodies'>
  /** Puts the merged block in the place of the others, in one transaction. */
  replace: (run: MergedRun) => void
  /** Milliseconds of a clock that only goes forward. */
  nowMs: () => number
}

export class BlockMerger {
  readonly #options: BlockMergerOptions
  #from = 0 // blocks before this are as large as they get
  /** Heads that were read, up to `#upTo`, without those that are passed by. */
  #heads: readonly PlannedHead[] = []
  /** Whether there were no more of them. */
  #headsEnd = false
  #upTo = 0
  /** What is being merged, and how many blocks of it have been read. */
  #run: readonly PlannedHead[] = []
  #read = 0
  #merge = new BlockMerge()

  constructor(options: BlockMergerOptions) {
    this.#options = options
  }

  /** Forgets what was planned and read: blocks were removed. */
  restart(): void {
    this.#lookAnew()
    this.#begin([])
  }

  /**
   * Reads heads, reads blocks, or puts one block in the place of those that were read. `merged` counts replaced blocks;
   * `more`: another step would find work. Throws what the statements throw; the next step begins anew.
   */
  step(upTo: number): { merged: number; more: boolean } {
    const until = this.#options.nowMs() + STEP_MS
    if (upTo !== this.#upTo) this.#lookAnew()
    this.#upTo = upTo
    try {
      if (this.#run.length === 0 && !this.#plan()) {
        if (this.#headsEnd) return { merged: 0, more: false }
        this.#readHeads()
        return { merged: 0, more: true }
      }
      this.#readBlocks(until)
      const whole = this.#run.length > 0 && this.#read === this.#run.length
      return { merged: whole && this.#options.nowMs() < until ? this.#replace() : 0, more: true }
    } catch (error) {
      this.restart()
      throw error
    }
  }

  #lookAnew(): void {
    this.#heads = []
    this.#headsEnd = false
  }

  #readHeads(): void {
    const { all, sql } = this.#options
    this.#heads = all(sql.heads, [this.#from, this.#upTo, PLANNED_MAX]).map(plannedHeadOf)
    this.#headsEnd = this.#heads.length < PLANNED_MAX
  }

  /** Begins with the next run. False: there is none among the heads that were read. */
  #plan(): boolean {
    const { run, from } = mergeRun(this.#heads)
    const moved = from > this.#from
    this.#from = Math.max(this.#from, from)
    // A run that ends with these heads may go on in those behind them, of which there is room for more.
    const goesOn = !this.#headsEnd && moved && run.at(-1) === this.#heads.at(-1)
    if (run.length === 0 || goesOn) return false
    this.#begin(run)
    return true
  }

  #begin(run: readonly PlannedHead[]): void {
    this.#run = run
    this.#read = 0
    this.#merge = new BlockMerge()
  }

  #readBlocks(until: number): void {
    for (; this.#read < this.#run.length && this.#options.nowMs() < until; this.#read++) {
      const head = this.#run[this.#read] as PlannedHead
      const block = this.#wholeBlock(head.first)
      // A damaged one stays as it is, for who reads it to be told: merged it would have a good checksum.
      if (block === null) return this.#passBy(head)
      this.#merge.add(block)
    }
  }

  #passBy(damaged: PlannedHead): void {
    this.#from = damaged.first + 1
    this.#heads = this.#heads.filter(({ first }) => first >= this.#from)
    this.#begin([])
  }

  #replace(): number {
    const run = this.#run
    const [oldest, newest] = [run[0] as PlannedHead, run.at(-1) as PlannedHead]
    const block = this.#merge.finish()
    const bytes = run.reduce((sum, head) => sum + head.bytes, 0)
    this.#options.replace({ first: oldest.first, last: newest.first, blocks: run.length, bytes, block })
    const merged = { first: oldest.first, last: newest.last, bytes: block.body.length }
    const at = this.#heads.indexOf(oldest)
    this.#heads = [...this.#heads.slice(0, at), merged, ...this.#heads.slice(at + run.length)]
    this.#begin([])
    return run.length
  }

  /** Null when it is damaged. */
  #wholeBlock(first: number): (ReadHead & { body: Uint8Array }) | null {
    const { all, sql } = this.#options
    try {
      const row = all(sql.bodies, [first, first, 1])[0] ?? {}
      const head = headOf(row)
      const { body } = row as { body?: unknown }
      return head.seal !== null && body instanceof Uint8Array && bodyIsWhole(body, head.seal)
        ? { ...head, body }
        : null
    } catch (error) {
      if (isCorrupt(error)) return null
      throw error
    }
  }
}

function plannedHeadOf(row: Record<string, unknown>): PlannedHead {
  return { first: Number(row['first']), last: Number(row['last']), bytes: Number(row['bytes']) }
}
