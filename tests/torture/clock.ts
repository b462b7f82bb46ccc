// The clock set back and forth under load, and under everything that waits for a time.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber } from '../helpers/feed-subscriber.ts'
import { readEvents } from '../helpers/history.ts'
import { Random } from '../helpers/random.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { AlertOracle } from '../system/alert-oracle.ts'
import { countLost, countRepeats } from '../system/crash-oracle.ts'
import { ExactSource } from '../system/exact-source.ts'
import { HttpSource } from '../system/http-source.ts'
import { connectSources, loadSources, totalAcknowledged, totalOpen } from '../system/load-sources.ts'
import { checkTimers } from './clock-timers.ts'
import { SettableClock, startClocked } from './clocked-server.ts'
import { countFaults, type Outcome, type Scenario } from './scenario.ts'

const STEPS = 20
const STEPS_FULL = 300
const STEP_MAX_MS = 86_400_000
const BETWEEN = 150

export const clock: Scenario = {
  name: 'clock',
  claim:
    'While the clock is set back and forth by up to a day, the log keeps its order, nothing is lost or repeated, each alert is raised once, and what waits for a time (rules, sessions, silences, presence, retention) neither is forgotten nor happens twice.',
  async run({ rounds, seed, full, say }) {
    const steps = rounds ?? (full ? STEPS_FULL : STEPS)
    await using folder = await temporaryFolder()
    const [underLoad, timers] = [join(folder.path, 'load'), join(folder.path, 'timers')]
    await mkdir(underLoad)
    await mkdir(timers)
    const loaded = await setUnderLoad(underLoad, { steps, seed, say })
    const checks = await checkTimers(timers)
    for (const check of checks) say(JSON.stringify(check))
    const failed = checks.filter(({ holds }) => holds === 'no')
    return {
      ...loaded,
      tables: { 'What waits for a time': checks },
      faults: [...loaded.faults, ...failed.map(({ what }) => what)],
      notes: [
        'The time of day is that of the server’s process, changed by a module loaded before it; timers run on, as with a real clock.',
        'What waits for a time of day that the clock is set back from waits so much longer.'
      ]
    }
  }
}

async function setUnderLoad(
  dir: string,
  { steps, seed, say }: { steps: number; seed: number; say: (line: string) => void }
): Promise<Outcome> {
  const random = new Random(seed)
  const clock = await SettableClock.inFolder(dir)
  await using oracle = await AlertOracle.start(dir, seed)
  await using server = await startClocked(join(dir, 'data'), clock, oracle.settings)
  const { url, adminToken: token } = server
  const sources = [
    ...loadSources({ each: 3, window: 16 }),
    new ExactSource({ name: 'exact-0', window: 16 }),
    new HttpSource({ name: 'http-0', window: 16 })
  ]
  await using feed = await FeedSubscriber.open({
    url,
    token,
    filter: { kinds: ['event'] },
    after: 'earliest'
  })
  await connectSources(sources, server)
  for (const source of sources) source.run(true)
  let highestMs = 0
  for (let step = 0; step < steps; step++) {
    const goal = totalAcknowledged(sources) + BETWEEN
    await clock.set(random.below(2 * STEP_MAX_MS) - STEP_MAX_MS)
    highestMs = Math.max(highestMs, clock.offMs)
    await eventually(() => totalAcknowledged(sources) >= goal, { what: 'load', timeoutMs: 60_000 })
  }
  for (const source of sources) source.run(false)
  await eventually(() => totalOpen(sources) === 0, { what: 'every acknowledgement' })
  // What waits for its next attempt is due when the clock says so.
  await clock.set(highestMs + 60_000)
  const alerts = await oracle.judge(server)
  const log = await readEvents(server)
  await eventually(() => feed.items.length >= log.length, { what: 'the feed' }).catch(() => {}) // counted instead
  const cursors = feed.items.map(({ cursor }) => cursor)
  for (const source of sources) await source.close()
  const zero = {
    'acknowledged and lost': countLost(sources, log),
    'repeated over raw TCP or at QoS 2': countRepeats(sources, log),
    'times in the log that fall': log.filter(({ at }, index) => at < (log[index - 1]?.at ?? 0)).length,
    'events that the feed showed otherwise than the log': log.filter(
      ({ cursor }, index) => cursors[index] !== cursor
    ).length,
    'alerts missing or wrong': alerts.wavesWrong + alerts.milestonesMissed,
    'alerts twice': alerts.milestonesRepeated,
    'alerts not told': alerts.untold
  }
  say(JSON.stringify(zero))
  return {
    figures: {
      'times the clock was set': steps,
      'events acknowledged meanwhile': totalAcknowledged(sources),
      'alerts raised': alerts.raised,
      ...zero
    },
    faults: countFaults(zero)
  }
}
