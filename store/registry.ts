// A small table that is held in memory whole.
import type { Statement } from './engine.ts'
import type { OnDurable, Registry } from './store.ts'

export interface RegistryOptions<Row> {
  rows: readonly Row[]
  put: (row: Row) => Statement
  remove: (id: string) => Statement
  /** Commits statements; calls back in the order of the calls. */
  write: (statements: readonly Statement[], onDurable: OnDurable) => void
}

/** Memory follows what is durable, in commit order: nobody sees a row that could still be lost. */
export class MemoryRegistry<Row extends { id: string }> implements Registry<Row> {
  readonly #options: RegistryOptions<Row>
  readonly #rows: Map<string, Row>
  readonly #listeners: ((id: string, row: Row | undefined) => void)[] = []

  constructor(options: RegistryOptions<Row>) {
    this.#options = options
    this.#rows = new Map(options.rows.map(row => [row.id, row]))
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  list(): Row[] {
    return [...this.#rows.values()]
  }

  put(row: Row): Promise<void> {
    return this.#write(this.#options.put(row), () => {
      this.#rows.set(row.id, row)
      this.#tell(row.id, row)
    })
  }

  remove(id: string): Promise<boolean> {
    return this.#write(this.#options.remove(id), () => {
      const removed = this.#rows.delete(id)
      if (removed) this.#tell(id, undefined)
      return removed
    })
  }

  onChange(listener: (id: string, row: Row | undefined) => void): void {
    this.#listeners.push(listener)
  }

  #write<Outcome>(statement: Statement, apply: () => Outcome): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#options.write([statement], error => {
        if (error) reject(error)
        else resolve(apply())
      })
    })
  }

  #tell(id: string, row: Row | undefined): void {
    for (const listener of this.#listeners) listener(id, row)
  }
}
