// Whether what is shown is live, and what to do when it is not.
import { feed, feedStatus } from '../state/feed.ts'
import { now } from '../state/clock.ts'
import { texts } from '../texts.ts'

export function ConnectionState() {
  const status = feedStatus.value
  const words = texts.connection
  return (
    <div class={`connection connection-${status.state}`} role="status">
      <span class="connection-dot" aria-hidden="true" />
      {status.state === 'live' && words.live}
      {status.state === 'connecting' && words.connecting}
      {status.state === 'waiting' && (
        <>
          {words.waiting(Math.max(0, Math.ceil((status.retryAt - now.value) / 1000)))}{' '}
          <button type="button" class="button button-small" onClick={() => feed.retryNow()}>
            {words.retryNow}
          </button>
        </>
      )}
    </div>
  )
}
