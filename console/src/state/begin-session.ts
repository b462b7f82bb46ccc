// The first thing the page does: it takes a sign-in link's code out of the address, or asks whom the cookie stands for.
import { effect, signal } from '@preact/signals'
import { loadSession, session, signIn } from './session.ts'

/** Why nobody could be signed in without being asked; null: no reason to say anything. */
export const beginProblem = signal<unknown>(null)
/** Whether a sign-in link was tried that the server did not take, and nobody has signed in since. */
export const linkRefused = signal(false)
effect(() => {
  if (session.value != null) linkRefused.value = false
})

export async function beginSession(): Promise<void> {
  beginProblem.value = null
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1]
  // Before anything else: what stays in the address ends in the browser's history.
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  try {
    if (code === undefined) return await loadSession()
    await signIn({ code })
  } catch (error) {
    linkRefused.value = (error as { status?: number }).status === 401
    if (!linkRefused.value) beginProblem.value = error
    else await loadSession().catch((cause: unknown) => (beginProblem.value = cause)) // an older session may still hold
  }
}
