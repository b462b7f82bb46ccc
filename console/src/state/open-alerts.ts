// All alerts that are not resolved, kept true by the feed.
import { batch, computed, effect, signal } from '@preact/signals'
import { get } from '../api/requests.ts'
import { severities } from '../api/shapes.ts'
import type { Alert, AlertNotification, AlertPage, Notification, Severity } from '../api/shapes.ts'
import type { FeedSubscription } from '../feed/feed-connection.ts'
import { withChange } from '../alerts/alert-change.ts'
import { feed } from './feed.ts'
import { session } from './session.ts'

/** More are counted by the overview, and not held here. */
const HELD_MAX = 5000
const PAGE = 1000

const byId = signal<ReadonlyMap<string, Alert>>(new Map())
/** Whether `openAlerts` is what the server has. */
export const openAlertsLoaded = signal(false)
/** Whether there are more than are held. */
export const openAlertsCut = signal(false)

/** By severity, the worst first, and within it the firing before the acknowledged, the newest first. */
export const openAlerts = computed(() => [...byId.value.values()].toSorted(worstFirst))

/** How many fire, of each severity. */
export const firingCounts = computed(() => {
  const counts = Object.fromEntries(severities.map(severity => [severity, 0])) as Record<Severity, number>
  for (const { state, severity } of byId.value.values()) if (state === 'firing') counts[severity]++
  return counts
})

/** Told of each alert that was raised, or grew worse, while the page was open. */
const raisedListeners = new Set<(alert: Alert) => void>()

export function onRaised(listener: (alert: Alert) => void): void {
  raisedListeners.add(listener)
}

let subscription: FeedSubscription | null = null
/** What came while the list was being loaded. */
let waiting: AlertNotification[] | null = null
let loads = 0

const signedIn = computed(() => session.value != null)
effect(() => {
  if (!signedIn.value) {
    subscription?.end()
    subscription = null
    loads++ // what is being loaded is for nobody any more
    waiting = null
    batch(() => {
      byId.value = new Map()
      openAlertsLoaded.value = false
      openAlertsCut.value = false
    })
    return
  }
  subscription ??= feed.subscribe({ kinds: ['alert'] }, null, {
    onSubscribed: ({ recovered }) => {
      if (!openAlertsLoaded.peek() || !recovered) void load()
    },
    onGap: () => void load(),
    onItems: items => take(items as AlertNotification[])
  })
})

/** Puts an alert that the server has just answered with in its place, without waiting for the feed. */
export function noteAlert(alert: Alert): void {
  const changed = new Map(byId.value)
  if (alert.state === 'resolved') changed.delete(alert.id)
  else changed.set(alert.id, alert)
  byId.value = changed
}

async function load(): Promise<void> {
  const mine = ++loads
  waiting = []
  try {
    const held = new Map<string, Alert>()
    let cursor: string | undefined
    do {
      const page = await get<AlertPage>('/v1/alerts', {
        states: ['firing', 'acknowledged'],
        limit: PAGE,
        cursor
      })
      for (const alert of page.items) held.set(alert.id, alert)
      cursor = page.next ?? undefined
    } while (cursor !== undefined && held.size < HELD_MAX)
    if (mine !== loads) return
    const missed = waiting ?? []
    waiting = null
    // What a page that was open before finds now, it was not told of when it was raised.
    const before = openAlertsLoaded.peek() ? byId.peek() : held
    batch(() => {
      openAlertsLoaded.value = true
      openAlertsCut.value = cursor !== undefined
      byId.value = applied(held, missed)
    })
    tellOfWorse(before)
  } catch {
    // The connection that fails here fails for the feed, too; what it brings after it is back loads the list again.
    if (mine !== loads) return
    waiting = null
    openAlertsLoaded.value = false
    setTimeout(() => {
      if (mine === loads && signedIn.peek()) void load()
    }, 3000)
  }
}

function take(items: readonly AlertNotification[]): void {
  if (waiting !== null) {
    waiting.push(...items)
    return
  }
  const before = byId.peek()
  byId.value = applied(before, items)
  tellOfWorse(before)
}

/** Tells of every firing alert that was not there before, or was less severe. */
function tellOfWorse(before: ReadonlyMap<string, Alert>): void {
  for (const alert of byId.peek().values()) {
    const known = before.get(alert.id)
    if (known === alert || alert.state !== 'firing') continue
    if (known !== undefined && severities.indexOf(alert.severity) <= severities.indexOf(known.severity))
      continue
    for (const listener of raisedListeners) listener(alert)
  }
}

function applied(
  alerts: ReadonlyMap<string, Alert>,
  notifications: readonly Notification[]
): ReadonlyMap<string, Alert> {
  const changed = new Map(alerts)
  for (const notification of notifications) {
    if (notification.kind !== 'alert') continue
    const known = changed.get(notification.alert)
    if (notification.state === 'resolved') changed.delete(notification.alert)
    else if (known !== undefined || changed.size < HELD_MAX)
      changed.set(notification.alert, withChange(known, notification))
    else openAlertsCut.value = true
  }
  return changed
}

/** Orders alerts for people: what needs a hand first. */
function worstFirst(one: Alert, other: Alert): number {
  return (
    severities.indexOf(other.severity) - severities.indexOf(one.severity) ||
    Number(one.state === 'acknowledged') - Number(other.state === 'acknowledged') ||
    Date.parse(other.firstAt) - Date.parse(one.firstAt)
  )
}
