// How the server has done lately: samples of a few metrics at even times, kept in memory for who looks at them.
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Batch, Follower, Log } from '../../store/store.ts'
import { readFigures } from './figures.ts'
import type { Figures } from './figures.ts'
import { quantileSince } from './quantile.ts'

/** What a sample tells, beside its time. Numbers of the moment, rates and quantiles of the time since the sample before. */
export const sampleColumns = [
  'eventsPerSecond',
  'mqttConnections',
  'tcpConnections',
  'subscribers',
  'devicesOnline',
  'criticalAlerts',
  'majorAlerts',
  'otherAlerts',
  'storedP99Ms',
  'deliveryMedianMs',
  'deliveryP99Ms',
  'loopDelayP99Ms'
] as const
export type SampleColumn = (typeof sampleColumns)[number]

/** Null: nothing happened that it could tell of. */
export type Sample = { at: number } & Record<SampleColumn, number | null>

/** Samples by column; `at` in ms since 1970, rising. */
export type Samples = { at: number[] } & Record<SampleColumn, (number | null)[]>

export interface OverviewOptions {
  log: Log
  registry: Registry
  logger: Logger
  now: () => number
  /** Time between two samples, ms. */
  sampleMs: number
  /** Most samples that are kept; the oldest make room. */
  samplesMax: number
}

export class Overview {
  readonly #options: OverviewOptions
  readonly #samples: Sample[] = []
  readonly #follower: Follower
  readonly #timer: NodeJS.Timeout
  #events = 0
  #before: { at: number; events: number; figures: Figures } | null = null
  #sampling: Promise<void> | null = null

  constructor(options: OverviewOptions) {
    this.#options = options
    const { log, sampleMs } = options
    this.#follower = log.follow(log.bounds().last, batch => this.#count(batch))
    this.#timer = setInterval(() => void this.sample(), sampleMs)
    this.#timer.unref()
    void this.sample()
  }

  /** The samples after a time, ms since 1970. */
  samplesAfter(at: number): Samples {
    const first = this.#samples.findIndex(sample => sample.at > at)
    const wanted = first < 0 ? [] : this.#samples.slice(first)
    const columns = ['at', ...sampleColumns] as const
    return Object.fromEntries(columns.map(name => [name, wanted.map(sample => sample[name])])) as Samples
  }

  /** Takes a sample, or waits for the one that is being taken; the timer does so by itself. */
  sample(): Promise<void> {
    return (this.#sampling ??= this.#sample().finally(() => (this.#sampling = null)))
  }

  async #sample(): Promise<void> {
    try {
      const figures = await readFigures(this.#options.registry)
      const at = this.#options.now()
      const events = this.#events
      // Times rise: with a clock that was set back, all begins anew.
      if (this.#before !== null && at <= this.#before.at) this.#samples.length = 0
      else if (this.#before !== null) this.#keep(sampleOf({ at, events, figures }, this.#before))
      this.#before = { at, events, figures }
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the overview could not be sampled')
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#follower.stop()
  }

  #keep(sample: Sample): void {
    this.#samples.push(sample)
    if (this.#samples.length > this.#options.samplesMax) this.#samples.shift()
  }

  #count({ items }: Batch): void {
    for (const { kind } of items) if (kind === 'event') this.#events++
  }
}

interface Look {
  at: number
  events: number
  figures: Figures
}

function sampleOf({ at, events, figures }: Look, before: Look): Sample {
  const quantileMs = (name: keyof Figures['delays'], q: number) => {
    const seconds = quantileSince(before.figures.delays[name], figures.delays[name], q)
    return seconds === null ? null : seconds * 1000
  }
  return {
    at,
    ...figures.moment,
    eventsPerSecond: ((events - before.events) * 1000) / (at - before.at),
    storedP99Ms: quantileMs('stored', 0.99),
    deliveryMedianMs: quantileMs('delivered', 0.5),
    deliveryP99Ms: quantileMs('delivered', 0.99),
    loopDelayP99Ms: quantileMs('loopDelay', 0.99)
  }
}
