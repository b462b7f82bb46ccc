// Rules over the events of load sources, and webhooks that tell of their alerts to a receiver that fails. What should have
// been raised is worked out from the events in the log; what should have been told is what was raised.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import type { Item } from '../helpers/feed-subscriber.ts'
import { readNotifications } from '../helpers/history.ts'
import type { ServerProcess } from '../helpers/server-process.ts'
import { FaultyReceiver } from './faulty-receiver.ts'
import type { SourcePayload } from './load-sources.ts'

const TOLD_MS = 60_000

/** An alert of `wave` is raised in the middle of so many events of a device and cleared at their end. */
const WAVE = 40
/** Every so many events of a device are an alert of their own, which stays. */
const MILESTONE = 60

const SETTINGS = {
  'alerting.saveMs': '200ms',
  'delivery.allowPrivateAddresses': 'true',
  'delivery.timeoutMs': '300ms',
  'delivery.retryFirstMs': '20ms',
  'delivery.retryMaxMs': '200ms',
  'delivery.attemptsMax': '1000',
  'delivery.circuitFailures': '4',
  'delivery.circuitMs': '100ms',
  'delivery.alertsMax': '10000'
}

function alertingFile(url: string): string {
  return `
rules:
  - name: wave
    topics: [load/#]
    when: payload.n % ${WAVE} >= ${WAVE / 2}
    severity: minor
    title: '{device} is high'
  - name: milestone
    topics: [load/#]
    when: payload.n % ${MILESTONE} == 0
    clear: 'false'
    key: device + "/" + string(payload.n)
    severity: critical
    title: '{key}'
channels:
  - { name: pager, webhook: { url: '${url}' } }
routes:
  - { match: { rules: [milestone] }, channels: [pager], groupWait: 50ms, groupInterval: 100ms, repeatInterval: 0 }
`
}

/** What became of alerts and deliveries up to now. Everything from `wavesWrong` on must be 0. */
export interface AlertReport {
  /** Events in the log, alerts raised, and attempts of deliveries, up to the end of the round. */
  events: number
  raised: number
  attempts: number
  /** Alerts of waves that were raised or cleared too often, not at all, or for the wrong event. */
  wavesWrong: number
  /** Events that should have raised an alert of their own and did not, and such alerts too many. */
  milestonesMissed: number
  milestonesRepeated: number
  /** Such alerts that no delivery the receiver accepted had told. */
  untold: number
  /** Deliveries that are said to have been sent, and that the receiver never accepted. */
  invented: number
  /** Deliveries that the receiver accepted and that nothing says were sent. */
  unrecorded: number
}

export class AlertOracle implements AsyncDisposable {
  readonly receiver: FaultyReceiver
  /** What the server is to be started with. */
  readonly settings: Readonly<Record<string, string>>

  private constructor(receiver: FaultyReceiver, file: string) {
    this.receiver = receiver
    this.settings = { ...SETTINGS, 'alerting.file': file }
  }

  /** Starts the receiver, whose faults `seed` repeats, and writes the alerting file into `dir`. */
  static async start(dir: string, seed: number): Promise<AlertOracle> {
    const receiver = await FaultyReceiver.start(seed)
    const file = join(dir, 'alerting.yaml')
    await writeFile(file, alertingFile(receiver.url))
    return new AlertOracle(receiver, file)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.receiver[Symbol.asyncDispose]()
  }

  /** Ids of the deliveries that are said to have been sent. */
  async #sent(server: ServerProcess): Promise<Set<string>> {
    const deliveries = await readNotifications(server, 'delivery')
    return new Set(deliveries.filter(one => one['outcome'] === 'sent').map(one => String(one['delivery'])))
  }

  /** Waits until everything is judged and told, then counts. The receiver's faults end meanwhile. */
  async judge(server: ServerProcess): Promise<AlertReport> {
    await eventually(async () => (await server.metric('tocsin_alerting_behind_notifications')) === 0, {
      what: 'judging of everything',
      timeoutMs: TOLD_MS
    })
    const events = await readNotifications(server, 'event')
    const milestones = milestonesOf(events)
    const told = () => milestones.size <= this.receiver.alerts.size
    await eventually(told, { timeoutMs: TOLD_MS }).catch(() => {}) // counted instead
    this.receiver.faulty = false
    await eventually(async () => (await server.metric('tocsin_deliveries_waiting')) === 0, {
      what: 'the end of all deliveries',
      timeoutMs: TOLD_MS
    })
    const alerts = await readNotifications(server, 'alert')
    const raised = alerts.filter(one => one['change'] === 'raised')
    const own = raised.filter(one => one['rule'] === 'milestone')
    const causes = own.map(one => String(one['cause']))
    const caused = new Set(causes)
    const { accepted, alerts: known, attempts } = this.receiver
    let sent = new Set<string>()
    // A delivery that has ended waits no more, a moment before its record is durable.
    const recorded = async () => {
      sent = await this.#sent(server)
      return [...accepted.keys()].every(id => sent.has(id))
    }
    await eventually(recorded, { timeoutMs: TOLD_MS }).catch(() => {}) // counted instead
    return {
      events: events.length,
      raised: raised.length,
      attempts,
      wavesWrong: wavesWrong(events, alerts),
      milestonesMissed: [...milestones].filter(cursor => !caused.has(cursor)).length,
      milestonesRepeated: causes.length - caused.size,
      untold: own.filter(one => !known.has(String(one['alert']))).length,
      invented: [...sent].filter(id => !accepted.has(id)).length,
      unrecorded: [...accepted.keys()].filter(id => !sent.has(id)).length
    }
  }
}

/** Cursors of the events that must raise an alert of their own: the first with each number of each device. */
function milestonesOf(events: readonly Item[]): Set<string> {
  const first = new Map<string, string>()
  for (const { device, payload, cursor } of events) {
    const { n } = payload as SourcePayload
    const key = `${device}/${n}`
    if (n % MILESTONE === 0 && !first.has(key)) first.set(key, cursor)
  }
  return new Set(first.values())
}

/** Goes through the log's events as the rule should have, and counts where the alerts are others. */
function wavesWrong(events: readonly Item[], alerts: readonly Item[]): number {
  const expected: string[] = []
  const open = new Set<string>()
  for (const { device, payload, cursor } of events) {
    const high = (payload as SourcePayload).n % WAVE >= WAVE / 2
    if (high === open.has(device)) continue
    if (high) open.add(device)
    else open.delete(device)
    expected.push(`${high ? 'raised' : 'resolved'} ${device} ${cursor}`)
  }
  const changes = alerts.filter(
    one => one['rule'] === 'wave' && (one['change'] === 'raised' || one['change'] === 'resolved')
  )
  const found = changes.map(one => `${String(one['change'])} ${one.device} ${String(one['cause'])}`)
  const wrong = found.filter((text, index) => text !== expected[index]).length
  return wrong + Math.abs(expected.length - found.length)
}
