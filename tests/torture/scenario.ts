// What every torture is: a claim, a run against real processes, and what came of it.

export interface TortureOptions {
  /** Repeats what is chosen at random. */
  seed: number
  /** Asked for by name; a scenario takes its own number without. */
  rounds: number | null
  seconds: number | null
  /** Whether the big numbers are wanted. */
  full: boolean
  /** Folder for pictures, beside the page that shows them. */
  pictures: string
  /** Tells whoever watches how far it is. */
  say: (line: string) => void
}

/** Rows of a table: its columns are the keys of the first row. */
export type Table = readonly Readonly<Record<string, string | number>>[]

export interface Outcome {
  /** What was done and measured, by name with unit. */
  figures: Readonly<Record<string, string | number>>
  /** More than fits there. */
  tables?: Readonly<Record<string, Table>>
  /** What was not as claimed, in sentences; empty: it holds. */
  faults: readonly string[]
  /** What a reader must know to judge the figures. */
  notes?: readonly string[]
  /** Paths of pictures, from the page that shows them, with what they show. */
  pictures?: Readonly<Record<string, string>>
}

export interface Scenario {
  name: string
  /** What it shows, as a sentence. */
  claim: string
  run(options: TortureOptions): Promise<Outcome>
}

/** Thrown by a scenario that this machine doesn't allow, with the reason. */
export class NotRunnable extends Error {}

export type Verdict = 'PASS' | 'FAIL' | 'NOT RUN'

export interface Result {
  name: string
  claim: string
  verdict: Verdict
  outcome: Outcome
  /** Seconds it took. */
  seconds: number
}

/** Runs a scenario; whatever it throws is a fault of its own. */
export async function attempt(scenario: Scenario, options: TortureOptions): Promise<Result> {
  const { name, claim } = scenario
  const startedMs = performance.now()
  const result = (verdict: Verdict, outcome: Outcome): Result => {
    const seconds = Math.round((performance.now() - startedMs) / 1000)
    return { name, claim, verdict, outcome, seconds }
  }
  try {
    const outcome = await scenario.run(options)
    return result(outcome.faults.length === 0 ? 'PASS' : 'FAIL', outcome)
  } catch (error) {
    if (error instanceof NotRunnable)
      return result('NOT RUN', { figures: {}, faults: [], notes: [error.message] })
    options.say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return result('FAIL', { figures: {}, faults: [error instanceof Error ? error.message : String(error)] })
  }
}

/** A fault in words for each count that is not 0. */
export function countFaults(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count !== 0)
    .map(([what, count]) => `${what}: ${count}`)
}

/** One outcome of several parts, in their order. */
export function merge(parts: readonly Outcome[]): Outcome {
  return {
    figures: Object.assign({}, ...parts.map(({ figures }) => figures)) as Outcome['figures'],
    tables: Object.assign({}, ...parts.map(({ tables }) => tables)) as NonNullable<Outcome['tables']>,
    faults: parts.flatMap(({ faults }) => faults),
    notes: parts.flatMap(({ notes = [] }) => notes)
  }
}
