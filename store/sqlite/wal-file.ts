// SQLite's write-ahead file, read as its recovery reads it (https://www.sqlite.org/fileformat2.html#the_write_ahead_log):
// which pages it holds, and whether it ends where its writer ended.
import { closeSync, openSync, readSync } from 'node:fs'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const MAGIC = 0x377f0682 // with its lowest bit set: checksums over big-endian words

export interface WalContents {
  /** Pages with a committed version in the file. */
  pages: Set<number>
  /** Pages of the database after the last commit; null when there is none. */
  databasePages: number | null
  /** Frames of this generation behind the last one that is whole: cut off by a loss of power, or damaged. */
  framesLost: number
}

/** Reads the file; one that is missing, or that holds nothing, has no pages. */
export function readWal(path: string): WalContents {
  const contents: WalContents = { pages: new Set(), databasePages: null, framesLost: 0 }
  const file = openForReading(path)
  if (file === null) return contents
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    if (readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return contents
    const magic = header.readUInt32BE(0)
    if ((magic & ~1) >>> 0 !== MAGIC) return contents
    const pageBytes = header.readUInt32BE(8)
    if (pageBytes < 512 || pageBytes > 65_536) return contents
    const bigEndian = (magic & 1) === 1
    const salts = header.subarray(16, 24)
    let sums = checksum(header.subarray(0, 24), [0, 0], bigEndian)
    if (!sameSums(header, 24, sums)) return contents
    const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageBytes)
    let uncommitted: number[] = []
    let broken = false
    for (
      let at = HEADER_BYTES;
      readSync(file, frame, 0, frame.length, at) === frame.length;
      at += frame.length
    ) {
      if (!frame.subarray(8, 16).equals(salts)) break // of the generation before: the file is used from its start again
      if (!broken) {
        sums = checksum(frame.subarray(0, 8), sums, bigEndian)
        sums = checksum(frame.subarray(FRAME_HEADER_BYTES), sums, bigEndian)
        broken = !sameSums(frame, 16, sums)
      }
      if (broken) {
        contents.framesLost++
        continue
      }
      uncommitted.push(frame.readUInt32BE(0))
      const databasePages = frame.readUInt32BE(4)
      if (databasePages === 0) continue
      for (const page of uncommitted) contents.pages.add(page)
      uncommitted = []
      contents.databasePages = databasePages
    }
    return contents
  } finally {
    closeSync(file)
  }
}

function openForReading(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

type Sums = [number, number]

/** SQLite's own checksum, over a whole number of pairs of words. */
function checksum(bytes: Buffer, sums: Sums, bigEndian: boolean): Sums {
  const words = wordsOf(bigEndian ? Buffer.from(bytes).swap32() : bytes)
  let [first, second] = [sums[0] | 0, sums[1] | 0]
  for (let at = 0; at < words.length; at += 2) {
    first = (first + (words[at] ?? 0) + second) | 0
    second = (second + (words[at + 1] ?? 0) + first) | 0
  }
  return [first >>> 0, second >>> 0]
}

/** Little-endian words, as every machine has them that Node.js runs on. */
function wordsOf(bytes: Buffer): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}

function sameSums(bytes: Buffer, at: number, [first, second]: Sums): boolean {
  return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second
}
