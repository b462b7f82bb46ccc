// Operators' tokens, found by what they are.
import { hashToken } from './credentials.ts'
import type { Registry, TokenRow } from './store.ts'

/** Finds a token's row by its hash: a map access, whatever the number of tokens. */
export class Tokens {
  readonly #byHash = new Map<string, TokenRow>()
  readonly #hashes = new Map<string, string>()
  readonly #onRevoked = new Set<(id: string) => void>()

  constructor(registry: Registry<TokenRow>) {
    for (const row of registry.list()) this.#add(row)
    registry.onChange((id, row) => {
      this.#remove(id)
      if (row) this.#add(row)
      // A token whose role was lowered must not keep what it opened before, either.
      for (const tell of this.#onRevoked) tell(id)
    })
  }

  /** The row of a token as it was presented. */
  find(token: string | Uint8Array): TokenRow | undefined {
    return this.#byHash.get(keyOf(hashToken(token)))
  }

  /** Tells of tokens that were revoked or changed. */
  onRevoked(listener: (id: string) => void): void {
    this.#onRevoked.add(listener)
  }

  #add(row: TokenRow): void {
    const key = keyOf(row.hash)
    this.#byHash.set(key, row)
    this.#hashes.set(row.id, key)
  }

  #remove(id: string): void {
    const key = this.#hashes.get(id)
    this.#hashes.delete(id)
    if (key !== undefined) this.#byHash.delete(key)
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64')
}
