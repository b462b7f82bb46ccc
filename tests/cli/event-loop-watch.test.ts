import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { EventLoopWatch } from '../../cli/event-loop-watch.ts'
import { eventually } from '../helpers/eventually.ts'

interface Line {
  blockedMs: number
  computedMs: number
  running: string[]
}

async function watchLoop(blockWarnMs: number) {
  const lines: Line[] = []
  const registry = new Registry()
  const logger = pino({}, { write: text => void lines.push(JSON.parse(text) as Line) })
  const watch = new EventLoopWatch({ blockWarnMs, logger, registry })
  return { lines, registry, [Symbol.asyncDispose]: () => watch.stop() }
}

/** Computes for so long, however little of the processor it gets. */
function computeStubbornly(ms: number): void {
  const spentMs = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  for (const end = spentMs() + ms; spentMs() < end;);
}

test('names the function that blocks the event loop', async () => {
  await using watched = await watchLoop(100)
  const { lines } = watched
  // The worker that looks starts in its own time, so the first blocks may go unexplained.
  const line = await eventually(() => {
    computeStubbornly(400)
    return lines.find(({ running }) => running.some(frame => frame.includes('computeStubbornly')))
  })
  expect(line.blockedMs).toBeGreaterThanOrEqual(300)
  expect(line.computedMs).toBeGreaterThanOrEqual(300)
})

test('counts delays and logs none that is short', async () => {
  await using watched = await watchLoop(60_000)
  const { lines, registry } = watched
  computeStubbornly(60)
  const metric = registry.getSingleMetric('tocsin_event_loop_delay_seconds')
  await eventually(async () => {
    const { values } = (await metric?.get()) ?? { values: [] }
    return values.some(({ labels, value }) => 'le' in labels && Number(labels.le) >= 0.05 && value > 0)
  })
  expect(lines).toEqual([])
})
