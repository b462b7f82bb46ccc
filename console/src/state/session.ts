// Who is signed in.
import { effect, signal } from '@preact/signals'
import { get, post, remove, whenSignedOut } from '../api/requests.ts'
import { roles } from '../api/shapes.ts'
import type { Role, Session } from '../api/shapes.ts'

/** Undefined: not known yet. Null: nobody. */
export const session = signal<Session | null | undefined>(undefined)

/** Whether the server is being told that somebody signs out: the live connection ends before, and not by that. */
export const leaving = signal(false)

whenSignedOut(() => (session.value = null))

// A session is renewed by requests, and a page that only listens to the feed makes none.
const RENEW_MAX_MS = 10 * 60_000
const RENEW_MIN_MS = 10_000
effect(() => {
  const expiresAt = session.value?.expiresAt
  if (expiresAt == null) return
  const leftMs = Date.parse(expiresAt) - Date.now()
  const again = setInterval(
    () => void loadSession().catch(() => {}), // what is out of reach now is asked again
    Math.min(RENEW_MAX_MS, Math.max(RENEW_MIN_MS, leftMs / 3))
  )
  return () => clearInterval(again)
})

/** Whether who is signed in may do what needs a role. The server decides; this says which buttons to show. */
export function may(role: Role): boolean {
  const have = session.value?.role
  return have !== undefined && roles.indexOf(have) >= roles.indexOf(role)
}

/** Asks the server who is signed in. Rejects with a `RequestError` when it can't be asked. */
export async function loadSession(): Promise<void> {
  try {
    session.value = await get<Session | null>('/v1/session') // no content: nobody
  } catch (error) {
    if ((error as { status?: number }).status !== 401) throw error
    session.value = null
  }
}

/** Signs in with a token, or with the code of a sign-in link. Rejects with a `RequestError`. */
export async function signIn(by: { token: string } | { code: string }): Promise<void> {
  await post('/v1/session', by)
  await loadSession()
}

/** Ends the session. Rejects with a `RequestError` when the server did not hear of it: then it goes on. */
export async function signOut(): Promise<void> {
  leaving.value = true
  try {
    await remove('/v1/session')
    session.value = null
  } catch (error) {
    if ((error as { status?: number }).status !== 401) throw error
    session.value = null // one that is over already is just as well
  } finally {
    leaving.value = false
  }
}
