// Whether what is shown is live, and what to do when it is not.
import { feed, feedStatus } from '../state/feed.ts'
import { now } from '../state/clock.ts'
import { texts } from '../texts.ts'

export function ConnectionState() {
  const status = feedStatus.value
  const words = texts.connection
  return (
    <div class={`connection connection-${status.state}`}>
      <span class="connection-dot" aria-hidden="true" />
      <span role="status">
        {status.state === 'live' && words.live}
        {status.state === 'connecting' && words.connecting}
        {status.state === 'waiting' && words.lost}
      </span>
      {status.state === 'waiting' && (
        <>
          {/* Not in the status: it would be read out each second. */}
          {words.nextTry(Math.max(0, Math.ceil((status.retryAt - now.value) / 1000)))}{' '}
          <button type="button" class="button button-small" onClick={() => feed.retryNow()}>
            {words.retryNow}
          </button>
        </>
      )}
    </div>
  )
}
