// What a measure finds: rows of figures, of which one column is compared with another row, and perhaps with a goal.

export interface Row {
  name: string
  /** Medians over the rounds, by column. */
  figures: Record<string, number>
  /** Each round's figures, by column. */
  rounds?: Record<string, number[]>
  /** Cost as a multiple of another row's, and the most it should be. */
  ratio?: { to: string; value: number; goal: number | null }
}

export interface Result {
  measure: string
  title: string
  rows: Row[]
  /** What a reader must know to understand the figures. */
  notes?: string[]
}

export interface MeasureOptions {
  /** Length of the window in which CPU time is counted, of each round. */
  seconds: number
  rounds: number
  /** Another build's `cli/main.js`, measured beside this one. */
  against: string | null
  /** Folder for CPU profiles of Tocsin. */
  profile: string | null
  /** Tells whoever waits what is done now. */
  progress(text: string): void
}

export type Measure = (options: MeasureOptions) => Promise<Result[]>

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
