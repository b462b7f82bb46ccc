// One-time codes with which a browser signs in: in memory only, each for one use, each for a short time.
import { randomBytes } from 'node:crypto'
import { hashToken } from '../../store/credentials.ts'
import type { Tokens } from '../../store/tokens.ts'
import { oldestOfMost } from './fair-limit.ts'

/** Codes that wait to be used; beyond, the oldest of the token that has most is void. */
export const CODES_MAX = 1000
const CODE_BYTES = 18

export interface SignInCodesOptions {
  tokens: Pick<Tokens, 'onRevoked'>
  /** How long a code is valid, ms. */
  validMs: number
  /** ms since 1970 */
  now: () => number
}

interface Waiting {
  readonly key: string
  readonly tokenId: string
  readonly expiresAt: number
}

export class SignInCodes {
  readonly #options: SignInCodesOptions
  /** By hash, oldest first. */
  readonly #waiting = new Map<string, Waiting>()

  constructor(options: SignInCodesOptions) {
    this.#options = options
    options.tokens.onRevoked(id => {
      for (const { key, tokenId } of this.#waiting.values()) if (tokenId === id) this.#waiting.delete(key)
    })
  }

  /** A new code, 24 characters of base64url, for the rights of a token; `expiresAt` in ms since 1970. */
  issue(tokenId: string): { code: string; expiresAt: number } {
    const { validMs, now } = this.#options
    const at = now()
    for (const { key, expiresAt } of this.#waiting.values()) if (expiresAt <= at) this.#waiting.delete(key)
    if (this.#waiting.size >= CODES_MAX) {
      const leaving = oldestOfMost(this.#waiting.values())
      if (leaving !== undefined) this.#waiting.delete(leaving.key)
    }
    const code = randomBytes(CODE_BYTES).toString('base64url')
    const entry = { key: keyOf(code), tokenId, expiresAt: at + validMs }
    this.#waiting.set(entry.key, entry)
    return { code, expiresAt: entry.expiresAt }
  }

  /** The id of the token that a code stands for, which is then void; null where it is none, used or too old. */
  redeem(code: string): string | null {
    const entry = this.#waiting.get(keyOf(code))
    if (entry === undefined) return null
    this.#waiting.delete(entry.key)
    return entry.expiresAt > this.#options.now() ? entry.tokenId : null
  }
}

function keyOf(code: string): string {
  return Buffer.from(hashToken(code)).toString('base64url')
}
