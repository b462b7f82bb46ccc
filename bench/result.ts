// What a measure finds: rows of figures, how Tocsin's compare with its peers', and which goals are met.

export interface Row {
  name: string
  /** Whether it is a peer's, to which Tocsin's rows are compared. */
  peer?: boolean
  /** Medians over the rounds, by column. */
  figures: Record<string, number>
  /** Each round's figures, by column. */
  rounds?: Record<string, number[]>
  /** Cost as a multiple of each peer's. */
  ratios?: Ratio[]
}

export interface Ratio {
  to: string
  /** Of the medians. */
  value: number
  /** Of each round. */
  rounds?: number[]
}

/** One of the goals, and how near Tocsin came. */
export interface Goal {
  /** What is wanted, without figures, such as `MQTT QoS 1 in`. */
  what: string
  sense: 'at most' | 'at least'
  limit: number
  /** Of limit and figure: `ms`, `/s`, `KB`, or `× Mosquitto`. */
  unit: string
  /** NaN when it could not be measured. */
  figure: number
  /** What is known of the reason, told only when it is missed. */
  whyMissed?: string
}

export interface Result {
  measure: string
  title: string
  rows: Row[]
  goals?: Goal[]
  /** What a reader must know to understand the figures. */
  notes?: string[]
  /** Why a peer is not among the rows. */
  missing?: string[]
  /** The same as a picture. */
  chart?: Chart
}

/** Lines over points in even steps, whatever their distance is. */
export interface Chart {
  title: string
  /** What stands below the points, and what is drawn above them. */
  across: string
  up: string
  /** Whether each step up is ten times as much. */
  logarithmic?: boolean
  points: string[]
  /** A value for each point. */
  lines: { name: string; values: number[] }[]
}

export interface MeasureOptions {
  /** Length of the window in which CPU time is counted, of each round. */
  seconds: number
  rounds: number
  /** Another build's `cli/main.js`, measured beside this one. */
  against: string | null
  /** Folder for CPU profiles of Tocsin. */
  profile: string | null
  /** Logs that are filled once for all measures of a run. */
  stores: FilledStores
  /** Tells whoever waits what is done now. */
  progress(text: string): void
}

export interface FilledStores {
  /** A folder of the caller's own with a log of so many notifications. */
  copy(notifications: number): Promise<FilledCopy>
}

/** Removed when it is disposed of. */
export interface FilledCopy extends AsyncDisposable {
  dir: string
}

export type Measure = (options: MeasureOptions) => Promise<Result[]>

/** The median of what could be measured; NaN when nothing could. */
export function median(values: readonly number[]): number {
  const sorted = values.filter(value => !Number.isNaN(value)).toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Whether a goal is met; null when it could not be measured. */
export function isMet({ sense, limit, figure }: Goal): boolean | null {
  if (Number.isNaN(figure)) return null
  return sense === 'at most' ? figure <= limit : figure >= limit
}

/** The rows, each of Tocsin's with its ratio to each peer's in one column. */
export function withRatios(rows: readonly Row[], column: string): Row[] {
  const peers = rows.filter(({ peer }) => peer === true)
  return rows.map(row =>
    row.peer === true || peers.length === 0
      ? row
      : { ...row, ratios: peers.map(peer => ratioOf(row, peer, column)) }
  )
}

function ratioOf(row: Row, peer: Row, column: string): Ratio {
  const value = (row.figures[column] ?? Number.NaN) / (peer.figures[column] ?? Number.NaN)
  const theirs = peer.rounds?.[column] ?? []
  const rounds = (row.rounds?.[column] ?? []).map((cost, round) => cost / (theirs[round] ?? Number.NaN))
  return { to: peer.name, value, ...(rounds.length > 0 && { rounds }) }
}

/** A goal that is a ratio of this build's row (the first that is no peer's) to a peer's. */
export function ratioGoal(
  rows: readonly Row[],
  { what, to, limit, whyMissed }: { what: string; to: string; limit: number; whyMissed?: string }
): Goal {
  const own = rows.find(({ peer }) => peer !== true)
  const figure = own?.ratios?.find(ratio => ratio.to === to)?.value ?? Number.NaN
  return {
    what,
    sense: 'at most',
    limit,
    unit: `× ${to}`,
    figure,
    ...(whyMissed !== undefined && { whyMissed })
  }
}
