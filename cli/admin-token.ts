// The admin token of the first start, in a file that only its owner can read.
import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hashToken, newToken } from '../store/credentials.ts'
import type { Registry, TokenRow } from '../store/store.ts'

/** Where the admin token of a data folder is. */
export function adminTokenFile(dir: string): string {
  return join(dir, 'admin.token')
}

/** The token in the file, or null when there is no such file. */
export async function readTokenFile(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export interface EnsuredAdminToken {
  file: string
  /** Whether a token was made (or taken from a file that was put there) by this call. */
  created: boolean
}

/**
 * Sees to it that there is an admin token: when the store has none, the token in the file is registered, or a new one
 * is written there first, so that a crash in between leaves nothing that nobody knows.
 */
export async function ensureAdminToken(
  tokens: Registry<TokenRow>,
  dir: string,
  now: () => number
): Promise<EnsuredAdminToken> {
  const file = adminTokenFile(dir)
  if (tokens.list().some(({ role }) => role === 'admin')) return { file, created: false }
  let token = await readTokenFile(file)
  if (token === null || !isToken(token)) {
    token = newToken()
    await writePrivately(file, `${token}\n`)
  }
  await tokens.put({
    id: newTokenId(),
    hash: hashToken(token),
    role: 'admin',
    name: 'first start',
    createdAt: now()
  })
  return { file, created: true }
}

/** A short name by which a token is listed and revoked. */
export function newTokenId(): string {
  return randomBytes(5).toString('hex')
}

/** Whether the text is long enough to be a secret, and goes into a header. */
function isToken(text: string): boolean {
  return /^[\w.~+/=-]{32,256}$/.test(text)
}

/** Writes a file that is whole or absent after a crash, and that only its owner may read. */
async function writePrivately(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${randomBytes(4).toString('hex')}`
  const handle = await open(unfinished, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await rename(unfinished, file)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}
