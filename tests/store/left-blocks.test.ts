import { expect, test } from '@jest/globals'
import type { OpenBlock } from '../../store/block-reader.ts'
import { LeftBlocks } from '../../store/left-blocks.ts'

const head = (first: number, last: number) => ({ first, last })

function open(blocks: LeftBlocks, [first, last]: [number, number], fetch: () => Uint8Array): OpenBlock {
  const block = blocks.open(head(first, last), fetch)
  if (block === null) throw new Error('there is a body')
  return block
}

test('a block that was left in the middle is not fetched again', () => {
  const blocks = new LeftBlocks()
  const block = open(blocks, [1, 10], () => new Uint8Array(100))
  expect(block).toMatchObject({ seq: 1, at: 0 })
  block.seq = 4
  block.at = 30
  blocks.leave(head(1, 10), block)
  const again = open(blocks, [1, 10], () => {
    throw new Error('it is here')
  })
  expect(again).toBe(block)
})

test('a block that was read to its end, or has grown since, is fetched', () => {
  const blocks = new LeftBlocks()
  const whole = open(blocks, [1, 10], () => new Uint8Array(1))
  whole.seq = 11
  blocks.leave(head(1, 10), whole)
  expect(open(blocks, [1, 10], () => new Uint8Array(2)).body).toHaveLength(2)
  const part = open(blocks, [11, 20], () => new Uint8Array(1))
  blocks.leave(head(11, 20), part)
  expect(open(blocks, [11, 30], () => new Uint8Array(3)).body).toHaveLength(3)
})

test('few blocks are kept, and no huge one', () => {
  const blocks = new LeftBlocks()
  for (let first = 1; first <= 9; first++) {
    const block = open(blocks, [first, first], () => new Uint8Array(first))
    blocks.leave(head(first, first), block)
  }
  const huge = open(blocks, [100, 200], () => new Uint8Array(1024 * 1024 + 1))
  blocks.leave(head(100, 200), huge)
  const fetched: number[] = []
  for (const first of [9, 2, 1, 100]) {
    const last = first === 100 ? 200 : first
    open(blocks, [first, last], () => {
      fetched.push(first)
      return new Uint8Array(1)
    })
  }
  expect(fetched).toEqual([1, 100])
})

test('a block that is damaged is none, and is looked at again the next time', () => {
  const blocks = new LeftBlocks()
  expect(blocks.open(head(1, 10), () => null)).toBeNull()
  expect(open(blocks, [1, 10], () => new Uint8Array(1)).body).toHaveLength(1)
})
