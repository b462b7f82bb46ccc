// How many times a minute something happens, averaged over the last minutes as Unix averages its load: what is older
// weighs less, by e^(-age/span).

/** Names and lengths of the spans, seconds. */
export const spans: readonly (readonly [name: string, seconds: number])[] = [
  ['1min', 60],
  ['5min', 300],
  ['15min', 900]
]

interface Row {
  count: () => number
  last: number
  averages: number[]
}

/** Averages of what some counters count, which must never fall. */
export class LoadAverages {
  readonly #rows: ReadonlyMap<string, Row>
  readonly #monotonicMs: () => number
  #advancedAt: number

  constructor(counters: Readonly<Record<string, () => number>>, monotonicMs: () => number) {
    this.#rows = new Map(
      Object.entries(counters).map(([name, count]) => [
        name,
        { count, last: count(), averages: spans.map(() => 0) }
      ])
    )
    this.#monotonicMs = monotonicMs
    this.#advancedAt = monotonicMs()
  }

  /** Takes in what was counted since the last call. */
  advance(): void {
    const now = this.#monotonicMs()
    const elapsedS = (now - this.#advancedAt) / 1000
    if (elapsedS <= 0) return
    this.#advancedAt = now
    for (const row of this.#rows.values()) {
      const count = row.count()
      const perMinute = ((count - row.last) * 60) / elapsedS
      row.last = count
      row.averages = row.averages.map((average, index) => {
        const weight = Math.exp(-elapsedS / (spans[index]?.[1] ?? 1))
        return perMinute + weight * (average - perMinute)
      })
    }
  }

  /** Averages as of the last `advance`, each under its counter's and its span's name. */
  values(): [name: string, perMinute: number][] {
    return [...this.#rows].flatMap(([name, { averages }]) =>
      spans.map(([span], index): [string, number] => [`${name}/${span}`, averages[index] ?? 0])
    )
  }
}
