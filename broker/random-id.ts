// Short random ids. Asking the system for a few bytes costs as much as asking for many.
import { randomFillSync } from 'node:crypto'

const ID_BYTES = 6
const POOL_IDS = 500

/** Makes ids from a pool of random bytes of its own. */
export class RandomIds {
  readonly #pool = Buffer.alloc(ID_BYTES * POOL_IDS)
  #at = this.#pool.length

  /** 8 characters of base64url, from 48 random bits. */
  next(): string {
    if (this.#at === this.#pool.length) {
      randomFillSync(this.#pool)
      this.#at = 0
    }
    const start = this.#at
    this.#at += ID_BYTES
    return this.#pool.toString('base64url', start, this.#at)
  }
}
