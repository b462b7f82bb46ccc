// Kysely over node:sqlite: one dialect that executes (migrations, in the writer thread) and one that only compiles.
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import {
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteDialect,
  SqliteIntrospector,
  SqliteQueryCompiler
} from 'kysely'
import type { Schema } from '../schema.ts'

/** Builds and compiles queries; executing one does nothing. */
export function compilingKysely(): Kysely<Schema> {
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: db => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler()
    }
  })
}

/** Executes queries on an open database. Destroying it leaves the database open. */
export function executingKysely(db: DatabaseSync): Kysely<unknown> {
  return new Kysely<unknown>({
    dialect: new SqliteDialect({
      database: {
        close: () => {},
        prepare(text) {
          const statement = db.prepare(text)
          const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[]
          return {
            reader: /^\s*(select|with|pragma)\b|\breturning\b/i.test(text),
            all: parameters => statement.all(...values(parameters)),
            run: parameters => statement.run(...values(parameters)),
            iterate: parameters => statement.iterate(...values(parameters))
          }
        }
      }
    })
  })
}
