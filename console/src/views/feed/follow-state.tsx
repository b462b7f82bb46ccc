// Follows the feed for a query, and says how that goes.
import { useEffect, useMemo } from 'preact/hooks'
import { readBack } from '../../api/notifications.ts'
import { Icon } from '../../components/icon.tsx'
import { FeedFollower } from '../../feed/feed-follower.ts'
import type { FeedQuery } from '../../feed/feed-query.ts'
import { countText } from '../../format.ts'
import { feed } from '../../state/feed.ts'
import { useKeys } from '../../state/keys.ts'
import { texts } from '../../texts.ts'

const words = texts.feed

/** A follower for a query, as long as `address`, which stands for it, is the same. */
export function useFollower(query: FeedQuery, address: string): FeedFollower {
  const follower = useMemo(() => new FeedFollower({ feed, readBack, query }), [address])
  useEffect(() => {
    follower.start()
    return () => follower.end()
  }, [follower])
  return follower
}

export function FollowState({ follower }: { follower: FeedFollower }) {
  const paused = follower.paused.value
  const toggle = () => (paused ? follower.goOn() : follower.hold('asked'))
  useKeys({ p: toggle })
  return (
    <div class="follow-state">
      <span>
        <span role="status">{paused ? words.paused : words.following}</span>
        {paused && follower.newCount.value > 0 && ` · ${words.newOnes(countText(follower.newCount.value))}`}
      </span>
      <span class="quiet">
        {words.perSecond(countText(follower.rate.value))} · {words.held(countText(heldIn(follower)))}
      </span>
      <button type="button" class="button" onClick={toggle}>
        <Icon name={paused ? 'play' : 'pause'} /> {paused ? words.resume : words.pause}
      </button>
    </div>
  )
}

function heldIn(follower: FeedFollower): number {
  return follower.shown.value >= 0 ? follower.list.length : 0 // read anew when what is shown has changed
}
