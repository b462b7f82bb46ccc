// kill -9 at random moments under all kinds of load at once, and the same of Mosquitto as far as it has the same promises.
import { eventually } from '../helpers/eventually.ts'
import { Random } from '../helpers/random.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { CrashScenario, type RoundReport } from '../system/crash-scenario.ts'
import { DurableSession } from '../system/durable-session.ts'
import { connectSources, MqttSource, totalAcknowledged, totalOpen } from '../system/load-sources.ts'
import { mosquittoVersion } from './machine.ts'
import { MosquittoBroker } from './mosquitto-broker.ts'
import { countFaults, type Outcome, type Scenario, type TortureOptions } from './scenario.ts'

const ROUNDS = 8
const ROUNDS_FULL = 100
const ACKNOWLEDGED_MIN = 200
const ACKNOWLEDGED_RANGE = 3000
/** Of many rounds each is shorter: all events of all rounds are read and compared after each. */
const ACKNOWLEDGED_RANGE_FULL = 1000
const DELAY_MAX_MS = 30
/** Every so many rounds the start after a kill is killed, too. */
const AGAIN_EVERY = 4
const AGAIN_MAX_MS = 600
/** Fewer in a round than Mosquitto's queue for a session holds by default (1,000): that limit is not what is tried here. */
const MOSQUITTO_ACKNOWLEDGED_MAX = 900
const QUIET_MS = 1500

export const kill: Scenario = {
  name: 'kill',
  claim:
    'kill -9 at random moments under MQTT at QoS 1 and 2, raw TCP, HTTP, durable sessions, a shared subscription, feeds with cursors, and alerts with webhooks: nothing acknowledged is lost, nothing that must come once comes twice.',
  async run(options) {
    const rounds = options.rounds ?? (options.full ? ROUNDS_FULL : ROUNDS)
    const ours = await killTocsin(rounds, options)
    const theirs = mosquittoVersion() === null ? null : await killMosquitto(rounds, options)
    return {
      ...ours,
      tables: {
        'Beside it in the same run, with persistence and its other defaults, durable sessions and QoS 1': [
          row('Tocsin', ours.compared),
          ...(theirs ? [row('Mosquitto', theirs)] : [])
        ]
      },
      notes: [
        theirs === null
          ? 'Mosquitto is not installed here.'
          : 'Mosquitto saves every 30 minutes and when it ends; it was saved once, with its sessions, before the first kill. In no round was more acknowledged than its queue for a session holds.'
      ]
    }
  }
}

interface Compared {
  acknowledged: number
  offlineMissed: number
  onlineMissed: number
}

function row(server: string, { acknowledged, offlineMissed, onlineMissed }: Compared) {
  return {
    server,
    'acknowledged over MQTT': acknowledged,
    'of them lost to a session that was away': offlineMissed,
    'to one that was connected': onlineMissed
  }
}

async function killTocsin(
  rounds: number,
  { seed, full, say }: TortureOptions
): Promise<Outcome & { compared: Compared }> {
  const random = new Random(seed)
  await using folder = await temporaryFolder()
  await using scenario = await CrashScenario.start(folder.path, { alerts: true, seed })
  const reports: RoundReport[] = []
  for (let round = 1; round <= rounds; round++) {
    const report = await scenario.round({
      after: ACKNOWLEDGED_MIN + random.below(full ? ACKNOWLEDGED_RANGE_FULL : ACKNOWLEDGED_RANGE),
      delayMs: random.below(DELAY_MAX_MS),
      againMs: round % AGAIN_EVERY === 0 ? random.below(AGAIN_MAX_MS) : null
    })
    reports.push(report)
    say(`kill ${round} of ${rounds}: ${JSON.stringify(report)}`)
  }
  const sum = (of: (report: RoundReport) => number) => reports.reduce((total, each) => total + of(each), 0)
  const last = reports.at(-1)
  const alerts = last?.alerts
  const zero = {
    'acknowledged and lost': sum(each => each.lost),
    'repeated over raw TCP': sum(each => each.tcpRepeated),
    'repeated at QoS 2': sum(each => each.exactRepeated),
    'missed by feeds': sum(each => each.feedMissed),
    'repeated by feeds': sum(each => each.feedRepeated),
    'missed by durable sessions': sum(each => each.offlineMissed + each.onlineMissed + each.faintedMissed),
    'missed by the shared subscription': sum(each => each.groupMissed),
    'out of order in durable sessions': sum(each => each.sessionDisorders),
    'alerts missing or wrong': sum(
      ({ alerts }) => (alerts?.wavesWrong ?? 0) + (alerts?.milestonesMissed ?? 0)
    ),
    'alerts twice': sum(({ alerts }) => alerts?.milestonesRepeated ?? 0),
    'alerts not told': sum(({ alerts }) => alerts?.untold ?? 0),
    'deliveries invented or not recorded': sum(
      ({ alerts }) => (alerts?.invented ?? 0) + (alerts?.unrecorded ?? 0)
    )
  }
  const idle = reports.filter(({ openAtKill }) => openAtKill === 0).length
  return {
    figures: {
      kills: rounds,
      'kills during the start after a kill': Math.floor(rounds / AGAIN_EVERY),
      'events acknowledged over MQTT': sum(each => each.mqttAcknowledged),
      'events acknowledged over raw TCP': sum(each => each.tcpAcknowledged),
      'events acknowledged over HTTP': sum(each => each.httpAcknowledged),
      'events under way at a kill, in all': sum(each => each.openAtKill),
      'alerts raised': alerts?.raised ?? 0,
      'attempts at webhooks, half of which fail': alerts?.attempts ?? 0,
      ...zero
    },
    faults: [...countFaults(zero), ...(idle > 0 ? [`nothing was under way at ${idle} of the kills`] : [])],
    compared: {
      acknowledged: sum(each => each.mqttAcknowledged),
      offlineMissed: sum(each => each.offlineMissed),
      onlineMissed: sum(each => each.onlineMissed)
    }
  }
}

async function killMosquitto(rounds: number, { seed, say }: TortureOptions): Promise<Compared> {
  const random = new Random(seed)
  await using folder = await temporaryFolder()
  await using broker = await MosquittoBroker.start(folder.path)
  const sources = [0, 1, 2, 3].map(index => new MqttSource({ name: `mqtt-${index}`, window: 16, version: 4 }))
  await using offline = new DurableSession('watcher-offline', 4)
  await using online = new DurableSession('watcher-online', 4)
  const port = broker.ports.mqtt
  for (const session of [offline, online]) {
    await session.join(port, 'load/#')
    await session.leave()
  }
  await broker.restartInPeace()
  await online.join(port)
  for (let round = 1; round <= rounds; round++) {
    const before = totalAcknowledged(sources)
    const after = 100 + random.below(MOSQUITTO_ACKNOWLEDGED_MAX - 300)
    await connectSources(sources, broker)
    for (const source of sources) source.run(true)
    await eventually(() => totalAcknowledged(sources) >= before + after, { what: 'load', everyMs: 1 })
    await broker.kill9()
    for (const source of sources) source.run(false)
    await Promise.all(sources.map(source => source.closed()))
    await broker.restart()
    await connectSources(sources, broker)
    await eventually(() => totalOpen(sources) === 0, { what: 'acknowledgement of what was sent again' })
    await offline.join(port)
    await quiet(() => offline.reception.count + online.reception.count)
    await offline.leave()
    await Promise.all(sources.map(source => source.close()))
    const missing = { offline: offline.reception.missing(sources), online: online.reception.missing(sources) }
    say(`kill ${round} of ${rounds}, Mosquitto: ${JSON.stringify(missing)}`)
  }
  return {
    acknowledged: totalAcknowledged(sources),
    offlineMissed: offline.reception.missing(sources),
    onlineMissed: online.reception.missing(sources)
  }
}

/** Resolves when nothing more comes. */
async function quiet(count: () => number): Promise<void> {
  let last = count()
  let sinceMs = performance.now()
  await eventually(
    () => {
      if (count() !== last) [last, sinceMs] = [count(), performance.now()]
      return performance.now() - sinceMs > QUIET_MS
    },
    { what: 'quiet', timeoutMs: 60_000, everyMs: 20 }
  )
}
