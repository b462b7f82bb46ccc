// What is known of a block without opening it, so that a filtered read can pass it by: kinds, highest severity and a
// Bloom filter of its devices. Pure.
import { kinds, severities } from './notification.ts'
import type { Filter } from './store.ts'

const BITS_PER_DEVICE = 10 // with 5 probes: about 1 % of reads open a block for nothing
const PROBES = 5

export interface BlockSummary {
  /** Bit n is set when an entry is of kind n. */
  kinds: number
  /** Index of the highest severity. */
  severity: number
  /** Bloom filter of the distinct devices; its size is a power of two. */
  devices: Uint8Array
}

/** A Bloom filter of these devices. */
export function bloomOf(devices: ReadonlySet<string>): Uint8Array {
  let bits = 64
  while (bits < devices.size * BITS_PER_DEVICE) bits *= 2
  const bloom = new Uint8Array(bits / 8)
  for (const device of devices) {
    let probe = hashOf(device)
    const step = stepOf(probe)
    for (let round = 0; round < PROBES; round++) {
      const bit = probe & (bits - 1)
      bloom[bit >>> 3] = (bloom[bit >>> 3] ?? 0) | (1 << (bit & 7))
      probe = (probe + step) >>> 0
    }
  }
  return bloom
}

/** False when the device is certainly not among those of the Bloom filter. */
export function bloomMayHave(bloom: Uint8Array, device: string): boolean {
  const bits = bloom.length * 8
  let probe = hashOf(device)
  const step = stepOf(probe)
  for (let round = 0; round < PROBES; round++) {
    const bit = probe & (bits - 1)
    if (((bloom[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false
    probe = (probe + step) >>> 0
  }
  return true
}

/** Says of a block's summary whether an entry of the block may pass the filter. */
export function summaryTest(filter: Filter | undefined): (summary: BlockSummary) => boolean {
  if (!filter) return () => true
  const { devices, topics } = filter
  const severityMin = filter.severityMin ? severities.indexOf(filter.severityMin) : 0
  let mask = filter.kinds ? maskOf(filter.kinds.map(kind => kinds.indexOf(kind))) : -1
  if (topics) mask &= maskOf([kinds.indexOf('event')]) // nothing else has a topic
  return summary =>
    (summary.kinds & mask) !== 0 &&
    summary.severity >= severityMin &&
    (!devices || devices.some(device => bloomMayHave(summary.devices, device)))
}

function maskOf(indexes: readonly number[]): number {
  return indexes.reduce((mask, index) => mask | (1 << index), 0)
}

// FNV-1a over UTF-16 units with a final avalanche (MurmurHash3's fmix32), so that ids that end alike spread.
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

// Odd, so that probes differ; its low bits come from the hash's high ones, which a small filter's first probe ignores.
function stepOf(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((mixed ^ (mixed >>> 13)) | 1) >>> 0
}
