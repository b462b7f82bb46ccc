// What a follower of the feed has, newest first: a row opens to its details.
import { useCallback, useMemo, useState } from 'preact/hooks'
import type { Notification } from '../../api/shapes.ts'
import { NotificationDetails } from '../../components/notification-details.tsx'
import { SidePanel } from '../../components/side-panel.tsx'
import { VirtualList } from '../../components/virtual-list.tsx'
import { useRowHeight } from '../../components/row-height.ts'
import type { FeedFollower } from '../../feed/feed-follower.ts'
import type { FeedQuery } from '../../feed/feed-query.ts'
import { countText, shortTimeText } from '../../format.ts'
import { now } from '../../state/clock.ts'
import { useKeys } from '../../state/keys.ts'
import { texts } from '../../texts.ts'
import { FeedRow } from './feed-row.tsx'

const words = texts.feed

export interface FeedListProps {
  follower: FeedFollower
  /** What the follower follows. */
  query: FeedQuery
  /** Narrows what is shown from the details of a row; absent: they can't. */
  onFilter?: (query: FeedQuery) => void
}

export function FeedList({ follower, query, onFilter }: FeedListProps) {
  const { list } = follower
  const rowHeightPx = useRowHeight({ widePx: 34, narrowPx: 58 })
  const [opened, open] = useState<Notification | null>(null)
  const [activeCursor, activate] = useState<string | null>(null)
  // Read, so that this is drawn anew when it changes.
  const version = follower.shown.value
  const history = follower.history.value

  const active = useMemo(
    () => (activeCursor === null ? -1 : list.indexOf(activeCursor)),
    [activeCursor, version]
  )
  const moveTo = (index: number) => {
    const entry = list.at(Math.max(0, Math.min(list.length - 1, index)))
    if (entry === undefined) return
    activate(entry.cursor)
    if (opened !== null && entry.kind !== 'gap') open(entry) // the panel goes along
  }
  const openActive = () => {
    const entry = active < 0 ? undefined : list.at(active)
    if (entry !== undefined && entry.kind !== 'gap') open(entry)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, () => void> = {
      ArrowDown: () => moveTo(active + 1),
      ArrowUp: () => moveTo(active - 1),
      PageDown: () => moveTo(active + 15),
      PageUp: () => moveTo(active - 15),
      Home: () => moveTo(0),
      End: () => moveTo(list.length - 1),
      Enter: openActive,
      ' ': openActive
    }
    const step = steps[event.key]
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    step()
  }
  useKeys({
    j: () => moveTo(active + 1),
    k: () => moveTo(active - 1),
    ...(opened !== null && { Escape: () => open(null) })
  })
  // Who scrolls down reads; the rows must not run away under the eyes.
  const onAtTop = useCallback(
    (atTop: boolean) => (atTop ? follower.release('scrolled') : follower.hold('scrolled')),
    [follower]
  )
  const onNearEnd = useCallback(() => {
    if (history === 'idle' && list.length > 0) void follower.loadOlder()
  }, [follower, history])

  return (
    <div class={opened === null ? 'list-and-panel' : 'list-and-panel panel-open'}>
      <div class="feed-list">
        <div class="feed-row feed-columns" aria-hidden="true">
          {Object.entries(words.columns).map(([name, title]) => (
            <span key={name} class={`feed-${name}`}>
              {title}
            </span>
          ))}
        </div>
        <VirtualList
          count={list.length}
          rowHeightPx={rowHeightPx}
          keyOf={index => list.at(index)?.cursor ?? String(index)}
          label={words.list}
          role="listbox"
          activeId={active < 0 ? undefined : `feed-row-${activeCursor}`}
          revealKey={activeCursor}
          revealIndex={active}
          onKeyDown={onKeyDown}
          onAtTop={onAtTop}
          onNearEnd={onNearEnd}
          topSignal={follower.topWanted.value}
          renderRow={index => {
            const entry = list.at(index)
            if (entry === undefined) return null
            return (
              <FeedRow
                entry={entry}
                id={`feed-row-${entry.cursor}`}
                selected={entry.cursor === activeCursor}
                place={index + 1}
                count={list.length}
                onOpen={() => {
                  activate(entry.cursor)
                  if (entry.kind !== 'gap') open(entry)
                }}
              />
            )
          }}
        />
        {list.length === 0 && history !== 'loading' && <p class="empty">{words.empty}</p>}
        <footer class="list-foot">
          {follower.paused.value && follower.newCount.value > 0 && (
            <button type="button" class="button button-main" onClick={() => follower.goOn()}>
              ↑ {words.newOnes(countText(follower.newCount.value))}
            </button>
          )}
          <HistoryNote follower={follower} searches={query.text !== ''} />
        </footer>
      </div>
      {opened !== null && (
        <SidePanel title={words.details} onClose={() => open(null)}>
          <NotificationDetails notification={opened} query={query} {...(onFilter && { onFilter })} />
        </SidePanel>
      )}
    </div>
  )
}

function HistoryNote({ follower, searches }: { follower: FeedFollower; searches: boolean }) {
  const searchedTo = follower.searchedTo.value
  switch (follower.history.value) {
    case 'loading':
      return <span class="quiet">{words.older}</span>
    case 'end':
      return <span class="quiet">{words.oldest}</span>
    case 'full':
      return <span class="quiet">{words.full}</span>
    case 'tired':
      return (
        <span class="quiet">
          {searches && searchedTo !== null && words.searchedTo(shortTimeText(searchedTo, now.value))}{' '}
          <button type="button" class="button button-small" onClick={() => void follower.loadOlder()}>
            {words.searchOn}
          </button>
        </span>
      )
    case 'failed': // the problem is said above the list
    case 'idle':
      return null
  }
}
