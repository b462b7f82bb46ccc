import { describe, expect, test } from '@jest/globals'
import { encodeBlock, type Block } from '../../store/block.ts'
import { seal } from '../../store/block-seal.ts'
import { readEntry } from '../../store/entry-codec.ts'
import { MsgpackReader } from '../../store/msgpack-reader.ts'
import { MsgpackWriter } from '../../store/msgpack-writer.ts'
import { BlockMerger } from '../../store/sqlite/block-merger.ts'
import { numbered } from '../gateway/harness.ts'

const SQL = { heads: 'heads', bodies: 'bodies' }

type Row = Record<string, unknown> & { first: number; last: number; body: Uint8Array }

/** A log of blocks with `counts` entries each, in place of the database, and a clock that moves 1 ms with each look. */
class Blocks {
  rows: Row[] = []
  /** Bodies read since the last look. */
  read = 0
  failing = false
  readonly merger: BlockMerger
  #ms = 0

  constructor(counts: readonly number[]) {
    const writer = new MsgpackWriter()
    let seq = 1
    for (const count of counts) {
      const entries = Array.from({ length: count }, (_, index) => ({
        draft: numbered(seq + index, { device: `dev-${seq % 9}` }),
        at: seq + index
      }))
      this.#insert(encodeBlock(writer, entries, null).block, seq)
      seq += count
    }
    this.merger = new BlockMerger({
      sql: SQL,
      all: (text, parameters) => this.#all(text, parameters),
      replace: ({ first, last, blocks, block }) => {
        if (this.failing) throw new Error('the disk is full')
        const gone = this.rows.filter(row => row.first >= first && row.first <= last)
        expect(gone.length).toBe(blocks)
        this.rows = this.rows.filter(row => !gone.includes(row))
        this.#insert(block, first)
      },
      nowMs: () => this.#ms++
    })
  }

  get last(): number {
    return this.rows.at(-1)?.last ?? 0
  }

  /** All entries' numbers, as they are stored. */
  numbers(): number[] {
    return this.rows.flatMap(({ first, last, body }) => {
      const reader = new MsgpackReader(body)
      expect(reader.array()).toBe(last - first + 1)
      return Array.from({ length: last - first + 1 }, (_, index) => {
        const item = readEntry(reader, first + index)
        return item.kind === 'event' ? Number(item.payload.toString()) : NaN
      })
    })
  }

  /** Takes steps until there is nothing to do; what most of them read at once. */
  finish(upTo = this.last): number {
    let most = 0
    for (let steps = 0; steps < 100_000; steps++) {
      this.read = 0
      const { more } = this.merger.step(upTo)
      most = Math.max(most, this.read)
      if (!more) return most
    }
    throw new Error('merging does not come to an end')
  }

  #all(text: string, [from = 0, to = 0, limit = 0]: number[]): Row[] {
    if (text === SQL.bodies) this.read++
    const upTo = (row: Row) => (text === SQL.heads ? row.last : row.first)
    return this.rows.filter(row => row.first >= from && upTo(row) <= to).slice(0, limit)
  }

  #insert({ count, atMin, atMax, kinds, severity, devices, body }: Block, first: number): void {
    const head = { first, last: first + count - 1, atMin, atMax, kinds, severity, bodyBytes: body.length }
    this.rows.push({
      first,
      last: head.last,
      at_min: atMin,
      at_max: atMax,
      kinds,
      severity,
      bytes: body.length,
      devices: seal(devices, head, body),
      body
    })
    this.rows.sort((a, b) => a.first - b.first)
  }
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}

describe('merging blocks by steps', () => {
  test('joins more small blocks than are looked at at once, some at each step, and keeps every entry', () => {
    const log = new Blocks(Array.from({ length: 3000 }, () => 2))
    expect(log.finish()).toBeLessThanOrEqual(2)
    expect(log.numbers()).toEqual(upTo(6000))
    expect(log.rows.length).toBeLessThanOrEqual(4)
  })

  test('passes by full blocks and finds the small ones behind them', () => {
    const log = new Blocks([4096, 4096, 3, 3, 4096, 5, 5])
    log.finish()
    expect(log.rows.map(({ first, last }) => last - first + 1)).toEqual([4096, 4096, 6, 4096, 10])
    expect(log.numbers()).toEqual(upTo(4096 * 3 + 16))
  })

  test('goes on with what came since the last pass, and touches nothing behind where it may', () => {
    const log = new Blocks([1, 1, 1, 1, 1, 1])
    log.finish(4)
    expect(log.rows.map(({ last }) => last)).toEqual([4, 5, 6])
    log.finish(5)
    expect(log.rows.map(({ last }) => last)).toEqual([4, 5, 6])
    log.finish(6)
    expect(log.numbers()).toEqual(upTo(6))
    expect(log.rows.length).toBeLessThan(4)
  })

  test('begins anew when blocks that it has read are removed', () => {
    const log = new Blocks(Array.from({ length: 40 }, () => 1))
    for (let steps = 0; steps < 10; steps++) log.merger.step(40)
    expect(log.read).toBeGreaterThan(1)
    expect(log.rows.length).toBe(40)
    log.rows = log.rows.slice(5)
    log.merger.restart()
    log.finish()
    expect(log.rows.map(({ first, last }) => [first, last])).toEqual([[6, 40]])
    expect(log.numbers()).toEqual(upTo(40).slice(5))
  })

  test('begins anew after a transaction that failed', () => {
    const log = new Blocks(Array.from({ length: 20 }, () => 1))
    log.failing = true
    expect(() => log.finish()).toThrow('the disk is full')
    expect(log.rows.length).toBe(20)
    log.failing = false
    log.finish()
    expect(log.rows.length).toBe(1)
    expect(log.numbers()).toEqual(upTo(20))
  })

  test('leaves a damaged block as it is and merges those behind it', () => {
    const log = new Blocks(Array.from({ length: 30 }, () => 1))
    const damaged = log.rows[10] as Row
    damaged.body = Uint8Array.from(damaged.body, (byte, at) => (at === 9 ? byte ^ 1 : byte))
    log.finish()
    expect(log.rows).toContain(damaged)
    expect(log.rows.at(-1)?.first).toBe(12)
    expect(log.rows.at(-1)?.last).toBe(30)
  })
})
