// A block: the entries of one commit as one MessagePack array, with a summary that lets reads pass it by.
import { bloomOf } from './block-summary.ts'
import type { BlockSummary } from './block-summary.ts'
import { kindIndex, readHead, severityIndex, writeEntry } from './entry-codec.ts'
import { MsgpackReader } from './msgpack-reader.ts'
import type { MsgpackWriter } from './msgpack-writer.ts'
import type { Draft } from './notification.ts'

/** Bytes of the array header before the first entry. */
export const BLOCK_HEAD_BYTES = 5

export interface Block extends BlockSummary {
  count: number
  atMin: number
  atMax: number
  /** MessagePack array [device, stream, seq, …] of the highest sequences in this block; null when there are none. */
  streams: Uint8Array | null
  body: Uint8Array
}

/** A draft with its time of receipt. */
export interface TimedDraft {
  draft: Draft
  at: number
}

export interface EncodedBlock {
  block: Block
  /** For each entry where its payload begins in the body, or -1. */
  payloadsAt: Int32Array
}

/** Encodes the drafts, of which there must be at least one and whose times must not fall. */
export function encodeBlock(
  writer: MsgpackWriter,
  entries: readonly TimedDraft[],
  streams: Uint8Array | null
): EncodedBlock {
  const payloadsAt = new Int32Array(entries.length)
  const devices = new Set<string>()
  let kinds = 0
  let severity = 0
  writer.reserve(BLOCK_HEAD_BYTES)
  writer.array32(entries.length)
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index] as TimedDraft
    const { draft } = entry
    payloadsAt[index] = writeEntry(writer, draft, entry.at)
    devices.add(draft.device)
    kinds |= 1 << kindIndex(draft.kind)
    severity = Math.max(severity, severityIndex(draft.severity))
  }
  const atMin = entries[0]?.at ?? 0
  const atMax = entries.at(-1)?.at ?? 0
  const body = writer.take()
  return {
    block: { count: entries.length, kinds, severity, devices: bloomOf(devices), atMin, atMax, streams, body },
    payloadsAt
  }
}

/**
 * Joins neighbouring blocks, given one after the other, without decoding their payloads. Their streams must have been
 * folded.
 */
export class BlockMerge {
  readonly #parts: Uint8Array[] = [Buffer.alloc(BLOCK_HEAD_BYTES)]
  readonly #devices = new Set<string>()
  #count = 0
  #kinds = 0
  #severity = 0
  #atMin = 0
  #atMax = 0

  /** `body` is kept and must not change. */
  add({ body, atMin, atMax }: Pick<Block, 'body' | 'atMin' | 'atMax'>): void {
    const reader = new MsgpackReader(body)
    const entries = reader.array()
    for (let index = 0; index < entries; index++) {
      const head = readHead(reader, false)
      this.#devices.add(head.device)
      this.#kinds |= 1 << kindIndex(head.kind)
      this.#severity = Math.max(this.#severity, severityIndex(head.severity))
    }
    if (this.#count === 0) this.#atMin = atMin
    this.#atMax = atMax
    this.#count += entries
    this.#parts.push(body.subarray(BLOCK_HEAD_BYTES))
  }

  /** The block of all that was added. */
  finish(): Block {
    const body = Buffer.concat(this.#parts)
    body[0] = 0xdd // array 32
    body.writeUInt32BE(this.#count, 1)
    return {
      count: this.#count,
      kinds: this.#kinds,
      severity: this.#severity,
      devices: bloomOf(this.#devices),
      atMin: this.#atMin,
      atMax: this.#atMax,
      streams: null,
      body
    }
  }
}
