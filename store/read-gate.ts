// Lets so many reads run at once and the rest wait in line: after a restart thousands of subscribers come back together,
// and each page that is read is held in memory until it is written.

/** A counting gate, first come first served. Between two readers the event loop gets a turn for live work. */
export class ReadGate {
  readonly #max: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Runs `read` when its turn comes; it should deliver what it read before it resolves. */
  async run<Value>(read: () => Promise<Value>): Promise<Value> {
    if (this.#running >= this.#max) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await read()
    } finally {
      setImmediate(() => this.#handOn())
    }
  }

  #handOn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }
}
