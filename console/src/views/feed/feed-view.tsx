// The live feed: newest first, filtered, paused and resumed without losing anything; a row opens to its details.
import { Problem } from '../../components/problem.tsx'
import { addressOfQuery, queryOfAddress } from '../../feed/feed-query.ts'
import type { FeedQuery } from '../../feed/feed-query.ts'
import { go, place } from '../../state/router.ts'
import { texts } from '../../texts.ts'
import { FeedFilters } from './feed-filters.tsx'
import { FeedList } from './feed-list.tsx'
import { FollowState, useFollower } from './follow-state.tsx'

const words = texts.feed

export function FeedView() {
  const query = queryOfAddress(place.value.query)
  const address = addressOfQuery(query)
  const follower = useFollower(query, address)
  return (
    <div class="feed-view">
      <div class="view-head">
        <h1>{words.title}</h1>
        <FollowState follower={follower} />
      </div>
      <FeedFilters query={query} onChange={changed => showQuery(changed)} />
      {follower.problem.value !== null && (
        <Problem error={follower.problem.value} onRetry={() => follower.retry()} />
      )}
      <FeedList key={address} follower={follower} query={query} onFilter={showQuery} />
    </div>
  )
}

function showQuery(query: FeedQuery): void {
  const address = addressOfQuery(query)
  go(address === '' ? '/feed' : `/feed?${address}`, { replace: true })
}
