import { describe, expect, test } from '@jest/globals'
import type { Block } from '../../store/block.ts'
import { CommitPacker, CommitUnpacker } from '../../store/sqlite/packed-commit.ts'

const USUAL_BYTES = 2 * 1024 * 1024

function block(bodyBytes: number, streams: Uint8Array | null): Block {
  return {
    count: 3,
    kinds: 5,
    severity: 2,
    atMin: 1_700_000_000_000,
    atMax: 1_700_000_000_250,
    devices: Uint8Array.of(1, 2, 3, 4),
    streams,
    body: new Uint8Array(bodyBytes).fill(bodyBytes % 251)
  }
}

describe('a commit on its way to the writer', () => {
  test('arrives as it was, with streams, without, or without a block', () => {
    const packer = new CommitPacker()
    const unpacker = new CommitUnpacker()
    const statements = [{ sql: 'delete from state where key = ?', parameters: ['a', null, 1] }]
    const commits = [
      { block: block(900, Uint8Array.of(9, 8, 7)), statements: [] },
      { block: block(40, null), statements },
      { block: block(7, new Uint8Array()), statements: [] },
      { block: null, statements }
    ]
    for (const commit of commits)
      expect(unpacker.unpack(structuredClone(packer.pack(commit)))).toEqual(commit)
  })

  test('takes the memory along only where there is another than before', () => {
    const packer = new CommitPacker()
    const unpacker = new CommitUnpacker()
    const told: boolean[] = []
    for (const bytes of [10, USUAL_BYTES - 4, USUAL_BYTES, USUAL_BYTES, 10, 20]) {
      const commit = { block: block(bytes, null), statements: [] }
      const packed = packer.pack(commit)
      told.push(packed[2] !== null)
      const arrived = unpacker.unpack(packed).block
      expect(Buffer.compare(arrived?.body ?? new Uint8Array(), commit.block.body)).toBe(0)
      expect(Buffer.compare(arrived?.devices ?? new Uint8Array(), commit.block.devices)).toBe(0)
    }
    expect(told).toEqual([true, false, true, false, true, false])
  })
})
