// Operators' tokens: who a request comes from and what it may do.
import { hashToken } from '../store/credentials.ts'
import { roles } from '../store/store.ts'
import type { Registry, Role, TokenRow } from '../store/store.ts'
import { GatewayError } from './errors.ts'

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
  find(token: string): TokenRow | undefined {
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

/** Whether a role includes what another may do. */
export function includesRole(have: Role, need: Role): boolean {
  return roles.indexOf(have) >= roles.indexOf(need)
}

/** The row of the token in an Authorization header; throws `unauthorized`. */
export function findOperator(authorization: string | undefined, tokens: Tokens): TokenRow {
  const token = /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw unauthorized('send a token as "Authorization: Bearer …"')
  const row = tokens.find(token)
  if (row === undefined) throw unauthorized('the token is unknown or was revoked')
  return row
}

/** Throws `token-in-url` when the URL carries what looks like a credential: URLs end in logs and histories. */
export function refuseTokenInUrl(url: string): void {
  const query = url.indexOf('?')
  if (query < 0) return
  const parameters = new URLSearchParams(url.slice(query + 1))
  if (['token', 'access_token', 'authorization'].some(name => parameters.has(name)))
    throw new GatewayError('token-in-url', 'URLs end up in logs; send the token as "Authorization: Bearer …"')
}

function unauthorized(message: string): GatewayError {
  return new GatewayError('unauthorized', message, { headers: { 'www-authenticate': 'Bearer' } })
}
