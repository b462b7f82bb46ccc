// Watches the event loop: how late it comes by, as a histogram, and a log line for each block that is long enough to
// matter, with the code that ran (seen by a worker thread while it ran), and how much of it was computing and collecting
// garbage.
import { PerformanceObserver } from 'node:perf_hooks'
import { MessageChannel, Worker, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import type { Logger } from 'pino'
import { Histogram, type Registry } from 'prom-client'
import type { Sighting } from './block-witness.ts'

/** How often the loop is asked to come by. Its lateness beyond this is the delay. */
const INTERVAL_MS = 20

export interface EventLoopWatchOptions {
  /** Length of a block that is logged, ms. */
  blockWarnMs: number
  logger: Logger
  registry: Registry
}

/** Runs until `stop`. */
export class EventLoopWatch {
  #logger: Logger
  #blockWarnMs: number
  #delay: Histogram
  #timer: NodeJS.Timeout
  #collections: PerformanceObserver
  #witness: Worker
  #sightings: MessagePort
  /** Counts the ticks, for the witness: while it stands still, the loop is blocked. */
  #ticks = new Int32Array(new SharedArrayBuffer(4))
  #lastAt = performance.now()
  #collectionMs = 0
  #cpuMs = threadCpuMs()

  constructor({ blockWarnMs, logger, registry }: EventLoopWatchOptions) {
    this.#logger = logger
    this.#blockWarnMs = blockWarnMs
    // perf_hooks.monitorEventLoopDelay measures the same way, but gives quantiles, which can't be added up over nodes.
    this.#delay = new Histogram({
      name: 'tocsin_event_loop_delay_seconds',
      help: 'How late the event loop came by, measured every 20 ms.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers: [registry]
    })
    this.#collections = new PerformanceObserver(list => {
      for (const { duration } of list.getEntries()) this.#collectionMs += duration
    })
    this.#collections.observe({ entryTypes: ['gc'] })
    const { port1, port2 } = new MessageChannel()
    this.#sightings = port1
    port1.unref()
    this.#witness = new Worker(new URL('./block-witness.js', import.meta.url), {
      workerData: { ticks: this.#ticks, blockMs: blockWarnMs, port: port2 },
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: 32 }
    })
    this.#witness.unref()
    this.#witness.on('error', error => logger.warn({ err: error }, 'Blocks of the event loop go unexplained'))
    this.#timer = setInterval(() => this.#tick(), INTERVAL_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#collections.disconnect()
    this.#sightings.close()
    await this.#witness.terminate()
  }

  #tick(): void {
    const now = performance.now()
    const lateMs = Math.max(0, now - this.#lastAt - INTERVAL_MS)
    this.#lastAt = now
    Atomics.add(this.#ticks, 0, 1)
    this.#delay.observe(lateMs / 1000)
    const cpuMs = threadCpuMs()
    const computedMs = cpuMs - this.#cpuMs
    this.#cpuMs = cpuMs
    if (lateMs < this.#blockWarnMs) {
      this.#collectionMs = 0
      return
    }
    // What was collected is told to the observer only now that the loop runs.
    setImmediate(() => {
      this.#report(lateMs, computedMs)
      this.#collectionMs = 0
    })
  }

  #report(blockedMs: number, computedMs: number): void {
    const message: { message: Sighting } | undefined = receiveMessageOnPort(this.#sightings)
    // A block with little computing is a machine that did not let the process run, or a call that waited.
    const fields = {
      blockedMs: Math.round(blockedMs),
      computedMs: Math.round(computedMs),
      garbageCollectionMs: Math.round(this.#collectionMs)
    }
    const running = message?.message.stack ?? [
      'unknown: it was no code of ours, or the process did not get to run'
    ]
    this.#logger.warn({ ...fields, running }, 'The event loop was blocked')
  }
}

/** CPU time of this thread, ms; of all threads on a Node.js that can't tell them apart. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}
