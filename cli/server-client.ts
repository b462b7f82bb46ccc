// How commands reach a server: over its HTTP port, with a token from the command line or the data folder.
import type { Config } from '../config/schema.ts'
import { adminTokenFile, readTokenFile } from './admin-token.ts'
import { CliError } from './errors.ts'

/** Time for a server to answer a command. */
const TIMEOUT_MS = 10_000

/** Where a server of this configuration is asked. One that listens on every address is asked on this machine. */
export function serverUrl({ http }: Pick<Config, 'http'>): string {
  const local: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }
  const host = local[http.host] ?? (http.host.includes(':') ? `[${http.host}]` : http.host)
  return `http://${host}:${http.port}`
}

/** The token a command presents: from the file it was told, else the data folder's. Null where there is none. */
export async function operatorToken(config: Config, tokenFile?: string): Promise<string | null> {
  if (tokenFile === undefined) return readTokenFile(adminTokenFile(config.store.dir))
  const token = await readTokenFile(tokenFile)
  if (token === null) throw new CliError(`there is no token file ${tokenFile}`)
  return token
}

export type Answer =
  | { answered: true; status: number; body: unknown }
  /** Nothing listens there, or what does is no HTTP server of ours. */
  | { answered: false; reason: string }

/** Asks a server; an answer of any status is an answer. */
export async function ask(
  url: string,
  {
    method = 'GET',
    token,
    body,
    timeoutMs = TIMEOUT_MS
  }: { method?: string; token?: string | null; body?: unknown; timeoutMs?: number } = {}
): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (token != null) headers['authorization'] = `Bearer ${token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  const request: RequestInit = { method, headers, signal: AbortSignal.timeout(timeoutMs) }
  if (body !== undefined) request.body = JSON.stringify(body)
  try {
    const response = await fetch(url, request)
    const text = await response.text()
    return { answered: true, status: response.status, body: parseBody(text) }
  } catch (error) {
    return { answered: false, reason: reasonOf(error, timeoutMs) }
  }
}

/** The sentence of a problem that a server answered with. */
export function problemText({ status, body }: { status: number; body: unknown }): string {
  const { title, detail } = (body ?? {}) as { title?: string; detail?: string }
  return detail ?? title ?? `HTTP status ${status}`
}

function parseBody(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return null
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  const { name, message, cause } = error as Error
  if (name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`
  const { code } = (cause ?? {}) as NodeJS.ErrnoException
  return code === 'ECONNREFUSED' ? 'nothing listens there' : (code ?? message)
}
