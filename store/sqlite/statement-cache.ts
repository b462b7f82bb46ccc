// Prepared statements by their text. Texts come from code, never from data, so they are few; the limit is a safeguard.
import type { DatabaseSync, StatementSync } from 'node:sqlite'

const STATEMENTS_MAX = 256

export class StatementCache {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  get(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      if (this.#statements.size >= STATEMENTS_MAX) this.#statements.clear()
      this.#statements.set(sql, (statement = this.#db.prepare(sql)))
    }
    return statement
  }
}
