// What a subscriber reads of the log. Alerts have a topic only as messages, which the store does not know.
import { isAlertTopic } from '../../store/alert-message.ts'
import type { Filter } from '../../store/store.ts'

// More topic filters than this are not sent along with a read; the subscriber sorts out by itself.
const READ_FILTERS_MAX = 100

/** The notifications among which is everything that these topic filters match. Pure. */
export function logFilter(filters: readonly string[]): Filter {
  const alerts = filters.filter(isAlertTopic).length
  if (alerts > 0) return { kinds: alerts === filters.length ? ['alert'] : ['event', 'alert'] }
  return filters.length > READ_FILTERS_MAX ? { kinds: ['event'] } : { kinds: ['event'], topics: filters }
}
