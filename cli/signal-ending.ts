// Ctrl-C and SIGTERM for commands that run until they are told to end.

/** A signal this soon after the first is taken for the same: under npm, Ctrl-C arrives more than once. */
const SAME_SIGNAL_MS = 500

/** Turns the first SIGINT or SIGTERM into an aborted signal; a later one means that there is no patience left. */
export class SignalEnding {
  readonly #ended = new AbortController()
  readonly #onImpatience: () => void
  #firstMs: number | null = null
  readonly #onSignal = () => {
    const nowMs = performance.now()
    if (this.#firstMs !== null && nowMs - this.#firstMs > SAME_SIGNAL_MS) this.#onImpatience()
    this.#firstMs ??= nowMs
    this.end()
  }

  constructor(onImpatience: () => void) {
    this.#onImpatience = onImpatience
    process.on('SIGINT', this.#onSignal).on('SIGTERM', this.#onSignal)
  }

  /** Aborted once the command is to end. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** Ends for another reason than a signal. */
  end(): void {
    this.#ended.abort()
  }

  /** Leaves signals to their default again. */
  close(): void {
    process.off('SIGINT', this.#onSignal).off('SIGTERM', this.#onSignal)
  }
}
