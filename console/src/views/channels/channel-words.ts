// How a channel does, and when a route is quiet, in words. Pure.
import type { Channel, QuietHours } from '../../api/shapes.ts'
import { texts } from '../../texts.ts'

const words = texts.channels

/** - `left-alone`: its circuit is open; nothing is attempted for a while.
 *  - `trying`: one attempt shows whether it works again. */
export type ChannelState = 'fine' | 'unused' | 'failing' | 'left-alone' | 'trying'

export function channelState({
  circuit,
  lastAttempt
}: Pick<Channel, 'circuit' | 'lastAttempt'>): ChannelState {
  if (circuit === 'open') return 'left-alone'
  if (circuit === 'half-open') return 'trying'
  if (lastAttempt === null) return 'unused'
  return lastAttempt.outcome === 'sent' ? 'fine' : 'failing'
}

/** Such as `22:00–06:00, Fri, Sat (Europe/Berlin), but for Critical and worse`. */
export function quietText({ timeZone, times, days, except }: QuietHours): string {
  const hours = times.map(({ from, to }) => `${minuteText(from)}–${minuteText(to)}`).join(', ')
  const names = days.map(day => words.days[day] ?? '').join(', ')
  const exceptText = except === null ? '' : words.quietExcept(texts.severities[except])
  return `${hours || words.allDay}, ${names || words.everyDay} (${timeZone})${exceptText}`
}

function minuteText(minute: number): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}
