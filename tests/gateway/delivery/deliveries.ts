// What tests of deliveries say, and how they read what was told.
import type { Notice, Outcome } from '../../../gateway/delivery/notice.ts'
import type { DeliveryNotification, EventDraft } from '../../../store/notification.ts'
import { reading } from '../alerting/drafts.ts'
import type { AlertingHarness } from '../scenarios/alerting-harness.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

/** An alerting file with a route to `duty`, and more routes. */
export function fileWith(route: string, more = ''): string {
  return `
rules:
  - { name: hot, topics: [site/#], when: payload.c > 30, severity: major, title: '{device} is hot', labels: { floor: '{payload.?floor.orValue("")}' } }
  - { name: level, topics: [level/#], of: payload.s, severities: { low: minor, high: critical, none: clear }, title: '{device} {payload.s}' }
channels:
  - { name: duty, mqtt: { topic: told/duty } }
  - { name: boss, mqtt: { topic: told/boss } }
routes:
  - { channels: [duty], ${route} }
${more}
`
}

export const hot = (device: string, c = 31): EventDraft => reading(device, { c })
export const level = (device: string, s: string): EventDraft =>
  reading(device, { s }, { topic: `level/${device}` })

/** What channels got: time since the start in seconds, channel, reason, status and keys. */
export function told(harness: AlertingHarness, since: number): string[] {
  return harness.notices.map(({ channel, notice: { at, reason, status, alerts } }) => {
    const keys = alerts.map(({ key, state }) => (state === 'resolved' ? `(${key})` : key))
    return `${(at - since) / SECOND} ${channel} ${reason} ${status} ${keys.toSorted().join(' ')}`
  })
}

export async function deliveries(harness: AlertingHarness): Promise<DeliveryNotification[]> {
  return (await harness.notifications()).flatMap(item => (item.kind === 'delivery' ? [item] : []))
}

export async function outcomes(harness: AlertingHarness): Promise<string[]> {
  return (await deliveries(harness)).map(
    ({ outcome, channel, attempt }) => `${outcome} ${channel} ${attempt}`
  )
}

export function acknowledge(harness: AlertingHarness, key: string, rule = 'hot'): Promise<void> {
  const id = harness.alerting.book.find(rule, key)?.id ?? ''
  harness.alerting.book.acknowledge(id, { at: harness.clock.now(), actor: 'ada', comment: '' })
  return harness.settle()
}

/** Answers in turn, then `sent`. */
export function inTurn(...answers: Outcome[]): (notice: Notice) => Promise<Outcome> {
  return async () => answers.shift() ?? { outcome: 'sent', detail: 'ok' }
}

export const failed: Outcome = { outcome: 'failed', detail: 'answered 503' }
