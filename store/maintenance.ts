// What keeps the log in shape, now and then, in small slices between commits: streams are folded into their table,
// blocks that are too old or too many are removed, small neighbours are merged.
import type { Logger } from 'pino'
import { CommitError } from './engine.ts'
import type { Engine, MaintenanceSlice, Statement } from './engine.ts'
import type { LogCounts } from './log-metrics.ts'
import { MaintenancePace } from './maintenance-pace.ts'
import type { Statements } from './statements.ts'
import type { StoreOptions } from './store.ts'
import type { StreamPositions } from './stream-positions.ts'

export interface MaintenanceOptions {
  engine: Engine
  statements: Statements
  streams: StreamPositions
  counts: LogCounts
  store: StoreOptions
  log: Logger
  /** Highest committed sequence. */
  last: () => number
  /** Commits statements in order with the appends; rejects when the log is closed. */
  write: (statements: readonly Statement[]) => Promise<void>
  onSlice: (slice: MaintenanceSlice) => void
}

export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #pace: MaintenancePace
  #timer: NodeJS.Timeout | null = null
  /** Ends the pause between two slices. */
  #wake: (() => void) | null = null
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: MaintenanceOptions) {
    this.#options = options
    this.#pace = new MaintenancePace(options.store.maintenanceMs)
    this.#plan()
  }

  /** Ends after the slice that runs. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#wake?.()
    await this.#running
  }

  #plan(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#running = this.#run().then(() => this.#plan())
    }, this.#options.store.maintenanceMs)
  }

  /** Never rejects: what was not done now is done the next time. */
  async #run(): Promise<void> {
    try {
      const folded = await this.#fold()
      await this.#slices(folded)
    } catch (err) {
      if (this.#stopped) return
      // The commits say that the disk is full; maintenance need not say it again.
      if (err instanceof CommitError && err.code === 'disk-full')
        this.#options.log.debug({ err }, 'maintenance of the log put off')
      else this.#options.log.error({ err }, 'maintenance of the log failed')
    }
  }

  async #fold(): Promise<number> {
    const upTo = this.#options.last()
    for (const group of this.#options.streams.fold(this.#options.statements, upTo)) {
      if (this.#stopped) return 0
      await this.#options.write(group)
    }
    return upTo
  }

  async #slices(upTo: number): Promise<void> {
    const { engine, store, counts } = this.#options
    const before = store.retentionAgeMs > 0 ? store.now() - store.retentionAgeMs : 0
    const blockBytesMax = store.retentionBytesMax > 0 ? store.retentionBytesMax : Number.MAX_SAFE_INTEGER
    const passStartedMs = performance.now()
    for (let more = true; more && !this.#stopped;) {
      const startedMs = performance.now()
      const slice = await engine.maintain({ before, blockBytesMax, upTo })
      const sliceMs = performance.now() - startedMs
      const { first, blocks, blockBytes, databaseBytes } = slice
      counts.size = { first, blocks, blockBytes, databaseBytes }
      this.#options.onSlice(slice)
      more = slice.more
      if (more) await this.#pause(this.#pace.pauseMs(sliceMs))
    }
    this.#pace.passTook(performance.now() - passStartedMs)
  }

  /** Resolves after a while, or when it is stopped. */
  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>(resolve => {
      this.#wake = resolve
      this.#timer = setTimeout(resolve, ms)
    })
    this.#wake = null
  }
}
