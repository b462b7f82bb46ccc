// The numbers that a device sends, each topic and field a series over time; bounded. Pure.
import type { EventNotification } from '../../api/shapes.ts'
import { numbersOf } from '../../format.ts'

export interface ValueSeries {
  topic: string
  /** Path of the number in the payload; `value`: the payload is it. */
  field: string
  /** When the server received each, ms since 1970, rising. */
  times: number[]
  values: number[]
}

export interface ValueSeriesOptions {
  /** Most series; what comes for others is counted in `leftOut`. */
  seriesMax?: number
  /** Most values of a series; the oldest make room. */
  pointsMax?: number
}

/** What is known of a field whose values are not kept. */
const LEFT_OUT_MAX = 1000

export class ValueSeriesSet {
  readonly #seriesMax: number
  readonly #pointsMax: number
  readonly #series = new Map<string, ValueSeries>()
  readonly #leftOut = new Set<string>()

  constructor({ seriesMax = 12, pointsMax = 2000 }: ValueSeriesOptions = {}) {
    this.#seriesMax = seriesMax
    this.#pointsMax = pointsMax
  }

  /** By topic and field. */
  get all(): readonly ValueSeries[] {
    return [...this.#series.entries()]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, series]) => series)
  }

  /** Fields there is no room for, counted up to a thousand. */
  get leftOut(): number {
    return this.#leftOut.size
  }

  /** Adds what is newer than what is here, in the log's order. */
  add(events: readonly EventNotification[]): void {
    for (const { topic, payload, at } of events)
      for (const [field, value] of numbersOf(payload)) this.#addPoint({ topic, field, at, value })
  }

  #addPoint({ topic, field, at, value }: { topic: string; field: string; at: number; value: number }): void {
    const key = `${topic}\n${field}`
    let series = this.#series.get(key)
    if (series === undefined) {
      if (this.#series.size >= this.#seriesMax) {
        if (this.#leftOut.size < LEFT_OUT_MAX) this.#leftOut.add(key)
        return
      }
      series = { topic, field, times: [], values: [] }
      this.#series.set(key, series)
    }
    series.times.push(at)
    series.values.push(value)
    // Rarely and many at once: taking one off the front each time moves all the others.
    if (series.times.length > this.#pointsMax * 1.25) {
      const surplus = series.times.length - this.#pointsMax
      series.times.splice(0, surplus)
      series.values.splice(0, surplus)
    }
  }
}
