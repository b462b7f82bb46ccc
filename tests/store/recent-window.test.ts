import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeBlock } from '../../store/block.ts'
import { MsgpackWriter } from '../../store/msgpack-writer.ts'
import { RecentWindow, type RecentBlock } from '../../store/recent-window.ts'
import { event } from '../gateway/harness.ts'

const LIMIT = 16 * 1024

/** Blocks that follow each other, of so many bytes of body and devices; each byte tells its block. */
function blocksOf(sizes: readonly (readonly [body: number, devices: number])[]): RecentBlock[] {
  let next = 1
  return sizes.map(([body, devices], index) => {
    const first = next
    next += 1 + (body % 7)
    const fill = (bytes: number, plus: number) => new Uint8Array(bytes).fill((index * 2 + plus) % 256)
    return {
      first,
      last: next - 1,
      kinds: 1,
      severity: index % 5,
      devices: fill(devices, 1),
      body: fill(body, 0)
    }
  })
}

function bytesOf({ body, devices }: RecentBlock): number {
  return body.length + devices.length
}

describe('the window of recent blocks', () => {
  test('holds the newest blocks without a hole, as they were, and no more bytes than it may', () => {
    const size = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 5, max: 900 }) },
      { weight: 2, arbitrary: fc.integer({ min: 900, max: LIMIT - 400 }) },
      { weight: 1, arbitrary: fc.integer({ min: LIMIT - 400, max: LIMIT * 2 }) }
    )
    const sizes = fc.array(fc.tuple(size, fc.integer({ min: 1, max: 64 })), { minLength: 1, maxLength: 120 })
    fc.assert(
      fc.property(sizes, given => {
        const window = new RecentWindow(LIMIT)
        const blocks = blocksOf(given)
        for (const [index, block] of blocks.entries()) {
          window.push(block)
          const pushed = blocks.slice(0, index + 1)
          const held = pushed.filter(({ first }) => first >= window.first)
          expect(held.reduce((sum, each) => sum + bytesOf(each), 0)).toBeLessThanOrEqual(LIMIT)
          if (bytesOf(block) < LIMIT / 2) expect(held.at(-1)).toBe(block)
          for (const each of held) expect(sameBlock(window.block(each.last), each)).toBe(true)
          for (const { last } of pushed.slice(0, pushed.length - held.length))
            expect(window.has(last)).toBe(false)
        }
      }),
      { numRuns: 60 }
    )
  })

  test('uses most of its bytes before it drops anything', () => {
    const window = new RecentWindow(LIMIT)
    const blocks = blocksOf(Array.from({ length: 100 }, () => [700, 24]))
    for (const block of blocks) window.push(block)
    const held = blocks.filter(({ first }) => first >= window.first)
    expect(held.length).toBe(Math.floor(LIMIT / (700 + 24 + 300)))
  })

  test('holds nothing where its limit is none', () => {
    const window = new RecentWindow(0)
    for (const block of blocksOf([
      [10, 4],
      [20, 4]
    ])) {
      window.push(block)
      expect(window.has(block.first)).toBe(false)
      expect(window.first).toBe(Number.POSITIVE_INFINITY)
    }
  })

  test('gives a batch memory of its own, which later blocks do not overwrite', () => {
    const window = new RecentWindow(LIMIT)
    const writer = new MsgpackWriter()
    const push = (first: number, text: string) => {
      const { block } = encodeBlock(
        writer,
        [{ draft: event({ payload: Buffer.from(text.repeat(300)) }), at: first }],
        null
      )
      window.push({ ...block, first, last: first })
    }
    push(1, 'a')
    const batch = window.batch(1)
    for (let seq = 2; seq < 200; seq++) push(seq, 'b')
    expect(window.has(1)).toBe(false)
    expect(batch?.items.map(item => item.kind === 'event' && item.payload.toString())).toEqual([
      'a'.repeat(300)
    ])
  })

  test('says what to set where the system does not give its memory', () => {
    expect(() => new RecentWindow(Number.MAX_SAFE_INTEGER)).toThrow(/set store\.recentBytesMax lower/)
  })

  test('forgets what retention removed', () => {
    const window = new RecentWindow(LIMIT)
    const blocks = blocksOf([
      [100, 4],
      [100, 4],
      [100, 4]
    ])
    for (const block of blocks) window.push(block)
    window.forgetBefore(blocks[1]?.last ?? 0)
    expect(window.first).toBe(blocks[1]?.first)
    window.forgetBefore(1_000_000)
    expect(window.first).toBe(Number.POSITIVE_INFINITY)
  })
})

function sameBlock(found: RecentBlock | null, block: RecentBlock): boolean {
  if (found === null) return false
  const heads = [found, block].map(({ first, last, kinds, severity }) =>
    [first, last, kinds, severity].join()
  )
  return (
    heads[0] === heads[1] &&
    Buffer.compare(found.body, block.body) === 0 &&
    Buffer.compare(found.devices, block.devices) === 0
  )
}
