// Tokens of devices and operators. A token is long and random, so a plain hash keeps it: no key derivation is needed.
import { hash, randomBytes } from 'node:crypto'

/** A new token: 32 random bytes as base64url, 43 characters. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What is kept of a token: the SHA-256 of its bytes (of its UTF-8, for text). Takes about a microsecond. */
export function hashToken(token: string | Uint8Array): Uint8Array {
  return hash('sha256', token, 'buffer')
}
