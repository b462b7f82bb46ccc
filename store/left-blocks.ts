// The blocks that reads have left in the middle, so that who pages through the log neither fetches a block once more for
// each page, nor steps over what it has had.
import type { BlockHead, OpenBlock } from './block-reader.ts'

type Place = Pick<BlockHead, 'first' | 'last'>

const BLOCKS_MAX = 8
/** Larger than what maintenance makes; a block that one huge commit made is fetched anew. */
const BLOCK_BYTES_MAX = 1024 * 1024

/** At most `BLOCKS_MAX` blocks of at most `BLOCK_BYTES_MAX` bytes, the last used. An entry never changes; a block may grow by merging. */
export class LeftBlocks {
  readonly #blocks = new Map<string, OpenBlock>()

  /** The block as it was left, or else as `fetch` brings its body; null when that has none that is whole. */
  open(head: Place, fetch: () => Uint8Array | null): OpenBlock | null {
    const key = keyOf(head)
    const left = this.#blocks.get(key)
    this.#blocks.delete(key)
    if (left !== undefined) return left
    const body = fetch()
    return body === null ? null : { body, seq: head.first, at: 0 }
  }

  /** Keeps what was not read to its end. */
  leave(head: Place, block: OpenBlock): void {
    if (block.seq > head.last || block.body.length > BLOCK_BYTES_MAX) return
    this.#blocks.set(keyOf(head), block)
    const [oldest] = this.#blocks.keys()
    if (this.#blocks.size > BLOCKS_MAX && oldest !== undefined) this.#blocks.delete(oldest)
  }
}

function keyOf({ first, last }: Place): string {
  return `${first}-${last}`
}
