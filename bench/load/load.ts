// What a load maker is: it runs in a process of its own, and is asked for its counters.

/** Counters since the beginning, or figures; what they are is each load's own. */
export type Counts = Record<string, number>

export interface Load {
  /** Begins to make load. */
  start(): void | Promise<void>
  /** Makes no more; resolves when what was under way is done. */
  stop(): void | Promise<void>
  /** Asks whether everything is still served; resolves with the answers in the counters. */
  check?(): Promise<void>
  counts(): Counts
}
