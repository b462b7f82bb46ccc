// A server that is killed again and again while rules fire and webhooks fail. What it should have raised is worked out from
// the events in its log; what it should have told is what it raised.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import type { Item } from '../helpers/feed-subscriber.ts'
import { readNotifications } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { FaultyReceiver } from './faulty-receiver.ts'
import { loadSources, totalAcknowledged, totalOpen, type Source, type SourcePayload } from './load-sources.ts'

/** An alert of `wave` is raised in the middle of so many events of a device and cleared at their end. */
const WAVE = 40
/** Every so many events of a device are an alert of their own, which stays. */
const MILESTONE = 60

const settings = {
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

/** What one kill did. Everything from `wavesWrong` on must be 0. */
export interface AlertRoundReport {
  /** Events in the log, alerts raised, and attempts of deliveries, up to the end of the round. */
  events: number
  raised: number
  attempts: number
  /** Events that were not judged yet when the process was killed, as far as is known. */
  openAtKill: number
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

export class AlertCrashScenario implements AsyncDisposable {
  readonly #server: ServerProcess
  readonly #receiver: FaultyReceiver
  readonly #sources: readonly Source[] = loadSources({ each: 3, window: 16 })

  private constructor(server: ServerProcess, receiver: FaultyReceiver) {
    this.#server = server
    this.#receiver = receiver
  }

  static async start(dir: string): Promise<AlertCrashScenario> {
    const receiver = await FaultyReceiver.start()
    const file = join(dir, 'alerting.yaml')
    await writeFile(file, alertingFile(receiver.url))
    const server = await ServerProcess.start(join(dir, 'data'), { ...settings, 'alerting.file': file })
    return new AlertCrashScenario(server, receiver)
  }

  /** Kills the server when about so many events of this round are acknowledged, and looks at what it did afterwards. */
  async round(killAfter: number): Promise<AlertRoundReport> {
    this.#receiver.faulty = true
    const sources = this.#sources
    await this.#connect()
    const start = totalAcknowledged(sources)
    for (const source of sources) source.run(true)
    await eventually(() => totalAcknowledged(sources) >= start + killAfter, {
      what: 'load',
      everyMs: 1,
      timeoutMs: 30_000
    })
    const openAtKill = totalOpen(sources)
    await this.#server.kill9()
    for (const source of sources) source.run(false)
    await Promise.all(sources.map(source => source.closed()))
    await this.#server.restart()
    await this.#connect()
    await eventually(() => totalOpen(sources) === 0, { what: 'acknowledgement of what was sent again' })
    await Promise.all(sources.map(source => source.close()))
    return { ...(await this.#judge()), openAtKill }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const source of this.#sources) await source.close()
    await this.#server[Symbol.asyncDispose]()
    await this.#receiver[Symbol.asyncDispose]()
  }

  async #connect(): Promise<void> {
    const { ports } = this.#server
    const problems = await Promise.all(this.#sources.map(source => source.connect(ports[source.protocol])))
    const problem = problems.find(text => text !== null)
    if (problem !== undefined) throw new Error(problem)
  }

  /** Ids of the deliveries that are said to have been sent. */
  async #sent(): Promise<Set<string>> {
    const deliveries = await readNotifications(this.#server, 'delivery')
    return new Set(deliveries.filter(one => one['outcome'] === 'sent').map(one => String(one['delivery'])))
  }

  async #judge(): Promise<Omit<AlertRoundReport, 'openAtKill'>> {
    const server = this.#server
    await eventually(async () => (await server.metric('tocsin_alerting_behind_notifications')) === 0, {
      what: 'judging of everything'
    })
    const events = await readNotifications(server, 'event')
    const milestones = milestonesOf(events)
    const told = () => milestones.size <= this.#receiver.alerts.size
    await eventually(told, { timeoutMs: 20_000 }).catch(() => {}) // counted instead
    this.#receiver.faulty = false
    await eventually(async () => (await server.metric('tocsin_deliveries_waiting')) === 0, {
      what: 'the end of all deliveries',
      timeoutMs: 20_000
    })
    const alerts = await readNotifications(server, 'alert')
    const raised = alerts.filter(one => one['change'] === 'raised')
    const own = raised.filter(one => one['rule'] === 'milestone')
    const causes = own.map(one => String(one['cause']))
    const { accepted, alerts: known, attempts } = this.#receiver
    let sent = new Set<string>()
    // A delivery that has ended waits no more, a moment before its record is durable.
    const recorded = async () => {
      sent = await this.#sent()
      return [...accepted.keys()].every(id => sent.has(id))
    }
    await eventually(recorded, { timeoutMs: 5000 }).catch(() => {}) // counted instead
    return {
      events: events.length,
      raised: raised.length,
      attempts,
      wavesWrong: wavesWrong(events, alerts),
      milestonesMissed: [...milestones].filter(cursor => !causes.includes(cursor)).length,
      milestonesRepeated: causes.length - new Set(causes).size,
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
