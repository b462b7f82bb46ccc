// The page's connection to the feed, and how it is.
import { effect, signal } from '@preact/signals'
import { FeedConnection } from '../feed/feed-connection.ts'
import type { FeedStatus } from '../feed/feed-connection.ts'
import { say } from '../components/toast.tsx'
import { texts } from '../texts.ts'
import { leaving, loadSession, session } from './session.ts'

export const feedStatus = signal<FeedStatus>({ state: 'connecting' })

export const feed = new FeedConnection({
  open: () => {
    const url = new URL('/v1/feed', location.href)
    url.protocol = url.protocol.replace('http', 'ws')
    return new WebSocket(url, 'tocsin.v1.json')
  },
  onStatus: status => {
    feedStatus.value = status
    // A browser does not say why a connection was refused. That the session is over would be a reason not to go on.
    if (status.state === 'waiting') loadSession().catch(() => {})
    if (status.state === 'ended') void lookAgain(status.reason)
  }
})

/** Somebody who is no longer signed in signs in again; anything else is said, and tried again after a while. */
async function lookAgain(reason: string): Promise<void> {
  await loadSession().catch(() => {})
  if (session.value == null) return
  say(texts.connection.refused(reason), { bad: true })
  setTimeout(() => {
    if (session.value != null) feed.start()
  }, REFUSED_PAUSE_MS)
}

const REFUSED_PAUSE_MS = 30_000

const signedIn = signal(false)
effect(() => void (signedIn.value = session.value != null && !leaving.value))
effect(() => {
  if (signedIn.value) feed.start()
  else feed.stop()
})
addEventListener('online', () => feed.retryNow())
