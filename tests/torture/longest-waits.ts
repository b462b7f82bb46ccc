// The longest time without an acknowledgement: of all sources together, and of the one that waited longest.
import type { Source } from '../system/load-sources.ts'

export interface Waits {
  /** No source was acknowledged anything for so long, ms. */
  allMs: number
  /** One source was not, ms. */
  oneMs: number
}

interface Wait {
  count: () => number
  seen: number
  sinceMs: number
}

/** Only as exact as it is told to look. */
export class LongestWaits {
  readonly #all: Wait
  readonly #each: readonly Wait[]
  #longest: Waits = { allMs: 0, oneMs: 0 }

  /** `nowMs` here and below: the time by the same clock. */
  constructor(sources: readonly Pick<Source, 'acknowledged'>[], nowMs: number) {
    const waitFor = (count: () => number): Wait => ({ count, seen: count(), sinceMs: nowMs })
    this.#all = waitFor(() => sources.reduce((sum, { acknowledged }) => sum + acknowledged, 0))
    this.#each = sources.map(source => waitFor(() => source.acknowledged))
  }

  look(nowMs: number): void {
    const longest = this.#longest
    longest.allMs = Math.max(longest.allMs, waited(this.#all, nowMs))
    for (const wait of this.#each) longest.oneMs = Math.max(longest.oneMs, waited(wait, nowMs))
  }

  /** The longest that ended since this was last asked, or that go on. */
  take(nowMs: number): Waits {
    this.look(nowMs)
    const longest = this.#longest
    this.#longest = { allMs: 0, oneMs: 0 }
    return longest
  }
}

// A wait ends with the look that sees more acknowledged.
function waited(wait: Wait, nowMs: number): number {
  const ms = nowMs - wait.sinceMs
  const count = wait.count()
  if (count !== wait.seen) {
    wait.seen = count
    wait.sinceMs = nowMs
  }
  return ms
}
