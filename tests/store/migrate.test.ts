import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from '@jest/globals'
import { migrate, migrations } from '../../store/migrate.ts'
import type { Migration } from '../../store/migrate.ts'
import { executingKysely } from '../../store/sqlite/kysely-sqlite.ts'

const types = { whole: 'integer', bytes: 'blob' } as const
const table =
  (name: string): Migration =>
  async db => {
    await db.schema.createTable(name).addColumn('id', types.whole).execute()
  }

describe('migrations', () => {
  test('apply what is missing, each once, in order', async () => {
    const db = new DatabaseSync(':memory:')
    await migrate(executingKysely(db), types, [table('one')])
    db.exec('insert into one (id) values (7)')
    await migrate(executingKysely(db), types, [table('one'), table('two'), table('three')])
    await migrate(executingKysely(db), types, [table('one'), table('two'), table('three')])
    expect(db.prepare('select number from migration order by number').all()).toMatchObject([
      { number: 1 },
      { number: 2 },
      { number: 3 }
    ])
    expect(db.prepare('select id from one').get()).toMatchObject({ id: 7 })
    db.exec('insert into three (id) values (1)')
  })

  test('that fail half way leave nothing of their step, and go on from there', async () => {
    const db = new DatabaseSync(':memory:')
    const failing: Migration = async (kysely, columns) => {
      await table('half')(kysely, columns)
      throw new Error('power cut')
    }
    await expect(migrate(executingKysely(db), types, [table('one'), failing])).rejects.toThrow('power cut')
    expect(() => db.exec('select * from half')).toThrow('no such table')
    await migrate(executingKysely(db), types, [table('one'), table('half')])
    db.exec('select * from half')
  })

  test('leave the last event of devices that were seen before it was known unknown', async () => {
    const db = new DatabaseSync(':memory:')
    await migrate(executingKysely(db), types, migrations.slice(0, 3))
    db.exec("insert into activity (device, first_seen_at, last_seen_at, events) values ('a', 1, 2, 3)")
    await migrate(executingKysely(db), types)
    expect(db.prepare('select events, last_seq from activity').get()).toMatchObject({
      events: 3,
      last_seq: 0
    })
  })

  test('of a newer version are not touched', async () => {
    const db = new DatabaseSync(':memory:')
    await migrate(executingKysely(db), types, [table('one'), table('two')])
    await expect(migrate(executingKysely(db), types, [table('one')])).rejects.toMatchObject({
      code: 'store-unreadable'
    })
  })
})
