// Lets so many reads run at once and the rest wait in line: after a restart thousands of subscribers come back together,
// and each page that is read is held in memory until it is written.

/** A counting gate, first come first served. */
export class ReadGate {
  readonly #max: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  async run<Value>(read: () => Promise<Value>): Promise<Value> {
    if (this.#running >= this.#max) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await read()
    } finally {
      const next = this.#waiting.shift()
      if (next)
        next() // hands its place on
      else this.#running--
    }
  }
}
