// Plays a scenario and tells what came of it, in the words in which the scenario expects it.
import type { Draft, Notification } from '../../../store/notification.ts'
import { durationMsOf } from '../../../gateway/alerting/yaml-reader.ts'
import type { AlertMatch } from '../../../gateway/alerts/matcher.ts'
import { startAlerting } from './alerting-harness.ts'
import type { AlertingHarness } from './alerting-harness.ts'
import { clockText } from './scenario.ts'
import type { Scenario, Step } from './scenario.ts'

/** Time that passes after the last step, so that what comes later than expected, or not at all, is seen. */
const AFTER_MS = 3 * 60_000

/** Plays all steps, up to the last outcome that is expected and a while beyond. */
export async function play(scenario: Scenario): Promise<string[]> {
  const [first] = scenario.steps
  if (first === undefined) throw new Error('a scenario without steps')
  await using harness = await startAlerting({ file: scenario.file, startAt: first.at })
  for (const { at, step } of scenario.steps) {
    await harness.advance(at - harness.clock.now())
    await act(harness, step)
  }
  const until = Math.max(
    ...scenario.outcomes.map(outcome => first.at + msBetween(clockText(first.at), outcome))
  )
  await harness.advance(Math.max(0, until - harness.clock.now()) + AFTER_MS)
  const outcomes = outcomesOf(await harness.notifications(), harness)
  return outcomes.filter(({ at }) => at <= until).map(({ text }) => text)
}

async function act(harness: AlertingHarness, step: Step): Promise<void> {
  const { alerting, clock } = harness
  const by = { at: clock.now(), actor: 'operator' }
  switch (step.do) {
    case 'event':
    case 'presence':
      return harness.append(draftOf(step))
    case 'silence': {
      const ms = durationMsOf(step.forText)
      if (ms === null) throw new Error(`${step.forText} is no duration`)
      const { match, comment } = step
      const times = { from: by.at, until: by.at + ms }
      alerting.silences.add({ match: match as AlertMatch, ...times, comment, author: by.actor }, by.at)
      break
    }
    case 'acknowledge':
    case 'resolve': {
      const alert = alerting.book.find(step.rule, step.key)
      if (alert === undefined) throw new Error(`no alert of ${step.rule} and ${step.key} is open`)
      alerting.book[step.do](alert.id, { ...by, comment: step.comment })
    }
  }
  await harness.settle()
}

function draftOf(step: Step & { do: 'event' | 'presence' }): Draft {
  const { device } = step
  if (step.do === 'presence') {
    const { status, reason } = step
    return { kind: 'presence', device, severity: 'info', status, reason, session: 's', order: 1 }
  }
  const { topic, payload } = step
  return {
    kind: 'event',
    device,
    severity: 'info',
    topic,
    payload: Buffer.from(payload),
    format: 'plain',
    source: 'mqtt'
  }
}

/** Alerts and deliveries as lines, those of one moment in the order of the alphabet. */
function outcomesOf(
  notifications: readonly Notification[],
  harness: AlertingHarness
): { at: number; text: string }[] {
  const keys = new Map<string, string>()
  const lines = notifications.flatMap(item => {
    if (item.kind === 'alert') {
      keys.set(item.alert, item.key)
      const told = item.change === 'raised' || item.change === 'severity'
      const text = `${item.change} ${item.rule} ${item.key}${told ? ` ${item.severity} ${JSON.stringify(item.title)}` : ''}`
      return [{ at: item.at, text }]
    }
    if (item.kind !== 'delivery') return []
    const of = (item.alerts ?? [item.alert]).map(id => keys.get(id) ?? id).toSorted()
    const notice = harness.notices.find(({ notice: { id } }) => id === item.delivery)?.notice
    const status = notice === undefined ? '' : ` ${notice.status}`
    return [{ at: item.at, text: `${item.outcome} ${item.channel}${status} ${of.join(' ')}` }]
  })
  return lines
    .map(({ at, text }) => ({ at, text: `${clockText(at)} ${text}` }))
    .toSorted((one, other) => one.at - other.at || (one.text < other.text ? -1 : 1))
}

function msBetween(from: string, to: string): number {
  return Date.parse(`2026-01-01T${to.slice(0, 8)}Z`) - Date.parse(`2026-01-01T${from}Z`)
}
