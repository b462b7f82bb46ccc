// One notification of the feed, or a gap in it, on a line (on two in a narrow window).
import { SeverityMark } from '../../components/severity.tsx'
import type { ListEntry } from '../../feed/notification-list.ts'
import { clockText, lineOf, wholeTimeText } from '../../format.ts'
import { texts } from '../../texts.ts'

export interface FeedRowProps {
  entry: ListEntry
  id: string
  selected: boolean
  /** From 1. */
  place: number
  /** How many rows there are. */
  count: number
  onOpen: () => void
}

export function FeedRow({ entry, id, selected, place, count, onOpen }: FeedRowProps) {
  const option = {
    id,
    role: 'option',
    'aria-selected': selected,
    'aria-posinset': place,
    'aria-setsize': count
  } as const
  const { subject, text } = lineOf(entry)
  if (entry.kind === 'gap')
    return (
      <div {...option} class="feed-row feed-gap">
        <strong>{subject}</strong> <span>{text}</span>
      </div>
    )
  return (
    <div {...option} class={`feed-row ${groundOf(entry)}${selected ? ' row-selected' : ''}`} onClick={onOpen}>
      <time class="feed-time" dateTime={new Date(entry.at).toISOString()} title={wholeTimeText(entry.at)}>
        {clockText(entry.at)}
      </time>
      <span class="feed-severity">
        <SeverityMark severity={entry.severity} />
      </span>
      <span class="feed-device">{entry.device}</span>
      <span class="feed-kind">{texts.kinds[entry.kind]}</span>
      <span class="feed-what">{subject}</span>
      <span class="feed-text">{text}</span>
    </div>
  )
}

/** What asks for a hand stands out: not what is over, nor that somebody was told. */
function groundOf(entry: Exclude<ListEntry, { kind: 'gap' }>): string {
  const over = entry.kind === 'alert' && entry.state !== 'firing'
  return over || entry.kind === 'delivery' ? '' : `row-${entry.severity}`
}
