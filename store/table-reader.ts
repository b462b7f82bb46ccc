// Reads rows of the tables: queries of one moment, and long ones a page at a time, so that decoding them never holds up
// the event loop.
import type { CompiledQuery } from 'kysely'
import type { Engine } from './engine.ts'

/** Most rows of a page. */
export const PAGE_ROWS = 2000
/** Most rows of a page where a row may be long. */
export const PAGE_MESSAGES = 128

/** What all reads of tables are made of. */
export class TableReader {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Builds queries. */
  get queries(): Engine['queries'] {
    return this.#engine.queries
  }

  /** Answers as of one moment; `rowsOf` gives each its type. */
  moment(queries: readonly CompiledQuery[]): Promise<unknown[][]> {
    return this.#engine.query(queries)
  }

  /** The rows of one query. */
  async one<Row>(query: CompiledQuery<Row>): Promise<Row[]> {
    const [rows] = await this.#engine.query([query])
    return rowsOf(query, rows)
  }

  /** All rows, in the order of a text key, which is never empty. */
  async all<Row>(page: (after: string) => CompiledQuery<Row>, key: (row: Row) => string): Promise<Row[]> {
    const all: Row[] = []
    for await (const rows of this.pages(page, key)) for (const row of rows) all.push(row)
    return all
  }

  /** The same, page by page. */
  async *pages<Row>(
    page: (after: string) => CompiledQuery<Row>,
    key: (row: Row) => string
  ): AsyncGenerator<Row[]> {
    for (let after = ''; ;) {
      const rows = await this.one(page(after))
      const last = rows.at(-1)
      if (!last) return
      after = key(last)
      yield rows
    }
  }
}

/** Types an answer: an engine answers with the columns that were asked for, and the query's type is the proof. */
export function rowsOf<Row>(_query: CompiledQuery<Row>, rows: unknown[] | undefined): Row[] {
  return (rows ?? []) as Row[]
}
