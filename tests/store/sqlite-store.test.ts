import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openSqliteStore } from '../../store/sqlite/open-sqlite-store.ts'
import type { ActivityRow } from '../../store/store.ts'
import { appended, event, quietOptions } from '../contract/store-place.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { openIn, sqlitePlace } from './sqlite-place.ts'

describe('opening', () => {
  test('makes a folder that only its owner may enter', async () => {
    await using folder = await temporaryFolder()
    const dir = join(folder.path, 'deep', 'data')
    await using store = await openIn(dir)
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
    await appended(store.log, event('x'))
  })

  test('refuses a folder that is in use, in a sentence that names it', async () => {
    await using place = await sqlitePlace()
    await using store = await place.open()
    await expect(place.open()).rejects.toMatchObject({
      code: 'store-locked',
      message: expect.stringContaining(place.dir)
    })
    await appended(store.log, event('x')) // the first is not disturbed
  })

  test('refuses data of a newer version', async () => {
    await using place = await sqlitePlace()
    await (await place.open()).close()
    const db = new DatabaseSync(join(place.dir, 'tocsin.db'))
    db.exec('insert into migration (number, applied_at) values (99, 0)')
    db.close()
    await expect(place.open()).rejects.toMatchObject({
      code: 'store-unreadable',
      message: expect.stringMatching(/schema 99.*newer version/)
    })
  })

  test('refuses a file that is no database', async () => {
    await using place = await sqlitePlace()
    await writeFile(join(place.dir, 'tocsin.db'), 'this is not a database, nor was it ever one'.repeat(100))
    await expect(place.open()).rejects.toMatchObject({ code: 'store-unreadable' })
  })

  test('reports a folder that cannot be made', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    await expect(openIn(join(folder.path, 'file', 'data'))).rejects.toThrow(/ENOTDIR|EEXIST/)
    await mkdir(join(folder.path, 'fine'))
    await (await openIn(join(folder.path, 'fine'))).close()
  })
})

describe('closing', () => {
  test('leaves one whole file behind, and may be asked for twice', async () => {
    await using place = await sqlitePlace()
    const store = await place.open()
    await appended(store.log, event('x'))
    await Promise.all([store.close(), store.close()])
    await expect(stat(join(place.dir, 'tocsin.db-wal'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('ends maintenance, reads and followers', async () => {
    await using place = await sqlitePlace()
    const store = await place.open({ maintenanceMs: 1, recentBytesMax: 0 })
    for (let index = 0; index < 100; index++) await appended(store.log, event('x'))
    let calls = 0
    store.log.follow(0, () => void calls++)
    await store.close()
    const atClose = calls
    await expect(store.log.read(0, { limit: 1 })).rejects.toMatchObject({ code: 'store-closed' })
    await setImmediate()
    expect(calls).toBe(atClose)
  })
})

test('the write-ahead log stays bounded under steady writing and reading', async () => {
  await using place = await sqlitePlace()
  await using store = await place.open({ recentBytesMax: 0 })
  const payload = Buffer.alloc(1_000_000)
  const stop = new AbortController()
  const reads = (async () => {
    for (let after = 0; !stop.signal.aborted; after = (after + 10) % 80) {
      await store.log.read(after, { limit: 4 })
      await setImmediate()
    }
  })()
  for (let index = 0; index < 100; index++) await appended(store.log, event('', { payload }))
  stop.abort()
  await reads
  const { size } = await stat(join(place.dir, 'tocsin.db-wal'))
  expect(size).toBeLessThan(64 * 1024 * 1024)
})

test('merging leaves few blocks, each readable', async () => {
  await using place = await sqlitePlace()
  await using store = await place.open({ maintenanceMs: 20, recentBytesMax: 0 })
  for (let index = 1; index <= 300; index++) await appended(store.log, event(`${index}`))
  await eventually(async () => (await store.blocks()) < 12)
  for (const seq of [1, 150, 299])
    expect(Buffer.from((await textOf(store.log.get(seq))) ?? '').toString()).toBe(`${seq}`)
})

test('merging gets past many blocks that are as large as they get in one go', async () => {
  const large = 10_000
  await using place = await sqlitePlace()
  await (await place.open()).close()
  const db = new DatabaseSync(join(place.dir, 'tocsin.db'))
  db.exec(`with recursive seq(n) as (select 1 union all select n + 1 from seq where n < ${large})
    insert into block (first_seq, last_seq, at_min, at_max, kinds, severity, body_bytes, devices, body)
    select n, n, 1, 1, 1, 0, 400000, x'00', x'dd00000000' from seq`)
  db.exec(`update log_state set next_seq = ${large + 1}, folded_seq = ${large}`)
  db.close()
  await using store = await place.open({ maintenanceMs: 2000 })
  for (let index = 0; index < 20; index++) await appended(store.log, event(`${index}`))
  await eventually(async () => (await store.blocks()) === large + 1, { timeoutMs: 20_000, what: 'the merge' })
})

test('a statement that can never succeed ends the process through onFatal', async () => {
  await using place = await sqlitePlace()
  const errors: Error[] = []
  await using store = await openIn(place.dir, { onFatal: error => errors.push(error) })
  const broken = { device: null, firstSeenAt: 0, lastSeenAt: 0, events: 0, lastSeq: 0 } as unknown
  const row = broken as ActivityRow
  await expect(
    appended(store.log, event('x'), { changes: [{ put: 'activity', row }] })
  ).rejects.toMatchObject({ code: 'store-closed' })
  expect(errors[0]?.message).toMatch(/NOT NULL/)
  await expect(appended(store.log, event('y'))).rejects.toMatchObject({ code: 'store-closed' })
})

test('metrics tell what the log does', async () => {
  await using folder = await temporaryFolder()
  const registry = new Registry()
  const store = await openSqliteStore({
    ...quietOptions,
    dir: folder.path,
    log: pino({ level: 'silent' }),
    registry
  })
  await appended(store.log, event('one'))
  await appended(store.log, event('two'))
  const text = await registry.metrics()
  await store.close()
  for (const line of [
    'tocsin_log_commits_total 2',
    'tocsin_log_notifications_total 2',
    'tocsin_log_last_sequence 2',
    'tocsin_log_first_sequence 1',
    'tocsin_log_blocks 2',
    'tocsin_log_unwritable 0',
    'tocsin_log_waiting_bytes 0',
    'tocsin_log_commit_duration_seconds_count 2',
    'tocsin_log_commit_notifications_bucket{le="1"} 2'
  ])
    expect(text.split('\n')).toContain(line)
  expect(text).toMatch(/^tocsin_database_bytes [1-9]/m)
})

async function textOf(
  found: ReturnType<Awaited<ReturnType<typeof openIn>>['log']['get']>
): Promise<string | null> {
  const item = await found
  return item?.kind === 'event' ? Buffer.from(item.payload).toString() : null
}
