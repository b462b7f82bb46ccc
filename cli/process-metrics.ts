// The usual metrics of a Node.js process, without those that cost too much for what they tell.
import { readdir, stat } from 'node:fs/promises'
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'

/**
 * Each of these lists all of a process's sockets while the event loop stands still, 25 ms in all with 10,000 of them. That
 * there are so many is told by our own metrics of connections.
 */
const LISTING = /^nodejs_active_|^process_open_fds$/
/** What tocsin_event_loop_delay_seconds tells in a form that adds up; this one wakes the process 100 times a second. */
const LAG = /^nodejs_eventloop_lag_/
const NEVER_MS = 2 ** 31 - 1

/** Registers them. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS })
  for (const { name } of registry.getMetricsAsArray())
    if (LISTING.test(name) || LAG.test(name)) registry.removeSingleMetric(name)
  if (process.platform !== 'linux') return
  const openFiles = new Gauge({
    name: 'process_open_fds',
    help: 'Number of open file descriptors.',
    registers: [],
    async collect() {
      const open = await countOpenFiles()
      if (open !== null) this.set(open)
    }
  })
  registry.registerMetric(openFiles)
}

/** Since Linux 6.2 the folder's size is their number, https://docs.kernel.org/filesystems/proc.html; older ones have to list them. */
async function countOpenFiles(): Promise<number | null> {
  try {
    const { size } = await stat('/proc/self/fd')
    return size > 0 ? size : (await readdir('/proc/self/fd')).length - 1
  } catch {
    return null // no /proc here
  }
}
