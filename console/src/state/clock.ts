// The time of day, for what is shown as "since".
import { signal } from '@preact/signals'

/** ms since 1970 UTC, once a second while the page is seen. */
export const now = signal(Date.now())

setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1000)
document.addEventListener('visibilitychange', () => (now.value = Date.now()))
