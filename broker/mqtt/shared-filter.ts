// The topic filter of a shared subscription: `$share/NAME/FILTER` [MQTT-4.8.2-1, -2]. Pure.
import { isTopicFilter } from '../../store/topic-filter.ts'

const PREFIX = '$share/'

/** Whether the filter asks for a shared subscription, well-formed or not. */
export function isShared(filter: string): boolean {
  return filter.startsWith(PREFIX)
}

/** The filter by which a shared subscription's messages are chosen; null if the whole is malformed. */
export function innerFilter(shared: string): string | null {
  const end = shared.indexOf('/', PREFIX.length)
  if (end <= PREFIX.length) return null
  const name = shared.slice(PREFIX.length, end)
  const filter = shared.slice(end + 1)
  return name.includes('+') || name.includes('#') || !isTopicFilter(filter) ? null : filter
}
