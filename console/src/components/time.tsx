// Times, with the whole date at hand.
import { durationText, shortTimeText, wholeTimeText } from '../format.ts'
import { now } from '../state/clock.ts'
import { texts } from '../texts.ts'

/** `at`: ms since 1970, or RFC 3339. */
export function Time({ at }: { at: number | string }) {
  const ms = msOf(at)
  return (
    <time dateTime={new Date(ms).toISOString()} title={wholeTimeText(ms)}>
      {shortTimeText(ms, now.value)}
    </time>
  )
}

/** How long ago; counts on by itself. */
export function Ago({ at }: { at: number | string }) {
  const ms = msOf(at)
  return (
    <time dateTime={new Date(ms).toISOString()} title={wholeTimeText(ms)}>
      {texts.common.ago(durationText(now.value - ms))}
    </time>
  )
}

/** How long since; counts on by itself. */
export function Since({ at }: { at: number | string }) {
  const ms = msOf(at)
  return (
    <time dateTime={new Date(ms).toISOString()} title={wholeTimeText(ms)}>
      {durationText(now.value - ms)}
    </time>
  )
}

function msOf(at: number | string): number {
  return typeof at === 'number' ? at : Date.parse(at)
}
