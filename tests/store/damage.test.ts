import { copyFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import type { Gap } from '../../store/store.ts'
import { appended, event, type OpenStore } from '../contract/store-place.ts'
import { cutShort, flipByte, overwrite, placeOf, placesOf, rootPage } from '../helpers/damage.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { openIn, sqlitePlace } from './sqlite-place.ts'

const BLOCKS = 10
const FILLING = 'x'.repeat(20_000) // so that each block has pages of its own
const fromDisk = { recentBytesMax: 0 }

/** A closed store with a log of some blocks, each of one event and larger than a page. */
async function filledPlace() {
  const place = await sqlitePlace()
  const store = await place.open(fromDisk)
  for (let index = 1; index <= BLOCKS; index++)
    await appended(store.log, event(`needle-${index} ${FILLING}`, { device: `pump-${index}` }), {
      stream: { name: 'main', seq: index }
    })
  await store.close()
  return { ...place, file: join(place.dir, 'tocsin.db') }
}

/** A closed store with a log of blocks of many events, sixty together. */
async function manyInBlocks() {
  const place = await sqlitePlace()
  const store = await place.open(fromDisk)
  for (let index = 1; index <= 60; index++) {
    const isLast = index % 20 === 0
    const draft = event(`needle-${index} ${FILLING.slice(0, 2000)}`)
    if (isLast) await appended(store.log, draft)
    else store.log.append(draft, null)
  }
  await store.close()
  return { ...place, file: join(place.dir, 'tocsin.db') }
}

/** What a reader from the start of the log gets. */
async function readAll({ log }: OpenStore, filter = {}): Promise<{ seqs: number[]; gaps: Gap[] }> {
  const seqs: number[] = []
  const gaps: Gap[] = []
  for (let next = 0, more = true; more;) {
    const result = await log.read(next, { limit: 3, filter })
    seqs.push(...result.items.map(({ seq }) => seq))
    if (result.gap) gaps.push(result.gap)
    ;({ next, more } = result)
  }
  return { seqs, gaps }
}

/** What a reader from the end of the log gets. */
async function readAllBack({ log }: OpenStore, filter = {}): Promise<{ seqs: number[]; gaps: Gap[] }> {
  const seqs: number[] = []
  const gaps: Gap[] = []
  for (let next = BLOCKS + 1, more = true; more;) {
    const result = await log.readBack(next, { limit: 3, filter })
    if (result.gap) gaps.push(result.gap)
    seqs.push(...result.items.map(({ seq }) => seq))
    const seen = [...result.items.map(({ seq }) => seq), next]
    if (result.gap) expect(result.gap.to).toBeLessThan(next)
    if (result.gap) expect(result.items.every(({ seq }) => seq < (result.gap?.from ?? 0))).toBe(true)
    expect(result.next).toBeLessThanOrEqual(Math.min(...seen))
    ;({ next, more } = result)
  }
  return { seqs, gaps }
}

async function getAll({ log }: OpenStore, seqs: readonly number[]): Promise<number[]> {
  const found: number[] = []
  await log.getMany(seqs, items => found.push(...items.map(({ seq }) => seq)))
  return found
}

/** Damages the summary of the block that begins with `first`: its Bloom filter. */
function damageSummary(file: string, first: number): void {
  update(
    file,
    `update block set devices = cast(zeroblob(8) || substr(devices, 9) as blob) where first_seq = ${first}`
  )
}

const allBut = (...left: number[]) =>
  Array.from({ length: BLOCKS }, (_, index) => index + 1).filter(seq => !left.includes(seq))

describe('a damaged block', () => {
  test.each(['a byte of a body', 'a page of a body'])('with %s is a gap, and no other is', async what => {
    await using place = await filledPlace()
    const at = await placeOf(place.file, 'needle-4')
    if (what === 'a byte of a body') await flipByte(place.file, at)
    else await overwrite(place.file, Math.ceil(at / 8192) * 8192, Buffer.alloc(8192))
    await using store = await place.open(fromDisk)
    expect(await readAll(store)).toEqual({ seqs: allBut(4), gaps: [{ from: 4, to: 4 }] })
    expect(await store.log.get(4)).toBeNull()
    expect(await store.log.get(5)).toMatchObject({ device: 'pump-5' })
  })

  test('is told to followers', async () => {
    await using place = await filledPlace()
    await flipByte(place.file, await placeOf(place.file, 'needle-4'))
    await using store = await place.open(fromDisk)
    const seqs: number[] = []
    const gaps: Gap[] = []
    const take = ({ items }: { items: readonly { seq: number }[] }) => {
      for (const { seq } of items) seqs.push(seq)
    }
    store.log.follow(0, take, gap => gaps.push(gap))
    await eventually(() => seqs.at(-1) === BLOCKS)
    expect(seqs).toEqual(allBut(4))
    expect(gaps).toEqual([{ from: 4, to: 4 }])
  })

  test('several of them are gaps of their own, the first and the last too', async () => {
    await using place = await filledPlace()
    for (const index of ['1 ', '5 ', '6 ', '10 '])
      for (const at of await placesOf(place.file, `needle-${index}`)) await flipByte(place.file, at)
    await using store = await place.open(fromDisk)
    const { seqs, gaps } = await readAll(store)
    expect(seqs).toEqual(allBut(1, 5, 6, 10))
    expect(gaps.flatMap(({ from, to }) => (from === to ? [from] : [from, to]))).toEqual([1, 5, 6, 10])
  })

  test('that a filter does not want is passed by', async () => {
    await using place = await filledPlace()
    await flipByte(place.file, await placeOf(place.file, 'needle-4'))
    await using store = await place.open(fromDisk)
    expect(await readAll(store, { devices: ['pump-7'] })).toEqual({ seqs: [7], gaps: [] })
  })

  test('with a damaged summary is a gap, even for a filter that it would have been passed by with', async () => {
    await using place = await filledPlace()
    damageSummary(place.file, 4)
    await using store = await place.open(fromDisk)
    expect(await readAll(store, { devices: ['pump-4'] })).toEqual({ seqs: [], gaps: [{ from: 4, to: 4 }] })
    expect(await readAll(store)).toEqual({ seqs: allBut(4), gaps: [{ from: 4, to: 4 }] })
  })

  test.each(['body', 'summary'])('is a gap to who reads newest first, too: its %s', async part => {
    await using place = await filledPlace()
    if (part === 'body') await flipByte(place.file, await placeOf(place.file, 'needle-4'))
    else damageSummary(place.file, 4)
    await using store = await place.open(fromDisk)
    const gaps = [{ from: 4, to: 4 }]
    expect(await readAllBack(store)).toEqual({ seqs: allBut(4).toReversed(), gaps })
    expect(await readAllBack(store, { devices: ['pump-4'] })).toEqual({ seqs: [], gaps })
    const passedBy = part === 'body' ? [] : gaps
    expect(await readAllBack(store, { devices: ['pump-7'] })).toEqual({ seqs: [7], gaps: passedBy })
    expect(await store.metric('tocsin_log_damaged_blocks')).toBe(1)
  })

  test('several of them are gaps newest first, the first and the last too', async () => {
    await using place = await filledPlace()
    for (const index of ['1 ', '5 ', '10 '])
      for (const at of await placesOf(place.file, `needle-${index}`)) await flipByte(place.file, at)
    damageSummary(place.file, 6)
    await using store = await place.open(fromDisk)
    const { seqs, gaps } = await readAllBack(store)
    expect(seqs).toEqual(allBut(1, 5, 6, 10).toReversed())
    expect(gaps).toEqual([
      { from: 10, to: 10 },
      { from: 5, to: 6 },
      { from: 1, to: 1 }
    ])
    expect(await store.metric('tocsin_log_damaged_blocks')).toBe(4)
  })

  test.each(['body', 'summary'])('has none of what is picked by its sequence: its %s', async part => {
    await using place = await filledPlace()
    if (part === 'body') await flipByte(place.file, await placeOf(place.file, 'needle-4'))
    else damageSummary(place.file, 4)
    await using store = await place.open(fromDisk)
    expect(await getAll(store, [9, 4, 3, 5, 1])).toEqual([1, 3, 5, 9])
    expect(await getAll(store, [4])).toEqual([])
    expect(await store.metric('tocsin_log_damaged_blocks')).toBe(1)
  })

  test.each(['body', 'summary'])('of many entries is left out whole: its %s', async part => {
    await using place = await manyInBlocks()
    const at = await placeOf(place.file, 'needle-35')
    const [damaged] = rowsWith(place.file, 35)
    if (damaged === undefined) throw new Error('no block holds 35')
    if (part === 'body') await flipByte(place.file, at)
    else damageSummary(place.file, damaged.from)
    await using store = await place.open(fromDisk)
    const all = Array.from({ length: 60 }, (_, index) => index + 1)
    const whole = all.filter(seq => seq < damaged.from || seq > damaged.to)
    expect(whole.length).toBeLessThan(59)
    expect(await getAll(store, all)).toEqual(whole)
    const newest = await store.log.readBack(61, { limit: 100 })
    expect(newest.items.map(({ seq }) => seq)).toEqual(all.slice(damaged.to).toReversed())
    const older = await store.log.readBack(newest.next, { limit: 100 })
    expect(older.gap).toEqual(damaged)
    expect(older.items.map(({ seq }) => seq)).toEqual(all.slice(0, damaged.from - 1).toReversed())
  })

  test('does not lead astray who looks for a time', async () => {
    let now = 1000
    await using place = await sqlitePlace()
    const filling = await place.open({ now: () => now })
    for (; now <= 10_000; now += 1000) await appended(filling.log, event(`needle-${now / 1000} ${FILLING}`))
    await filling.close()
    const file = join(place.dir, 'tocsin.db')
    for (const index of [5, 6, 10]) await flipByte(file, await placeOf(file, `needle-${index} `))
    await using store = await place.open(fromDisk)
    const places = [0, 2001, 5000, 5500, 7001, 9001].map(at => store.log.seqBefore(at))
    expect(await Promise.all(places)).toEqual([0, 2, 4, 4, 7, 9])
  })

  test('does not become whole by being merged with others', async () => {
    await using place = await filledPlace()
    await flipByte(place.file, await placeOf(place.file, 'needle-4'))
    await using store = await place.open({ ...fromDisk, maintenanceMs: 10 })
    await eventually(async () => (await store.blocks()) < BLOCKS, { what: 'merging' })
    expect(await readAll(store)).toEqual({ seqs: allBut(4), gaps: [{ from: 4, to: 4 }] })
  })

  test('that retention cannot remove is complained of', async () => {
    await using place = await filledPlace()
    const at = await placeOf(place.file, 'needle-4')
    await overwrite(place.file, Math.ceil(at / 8192) * 8192, Buffer.alloc(8192))
    const errors: string[] = []
    const log = pino({ level: 'error' }, { write: line => void errors.push(line) })
    await using _store = await openIn(place.dir, { log, maintenanceMs: 10, retentionBytesMax: 1 })
    await eventually(() => errors.some(line => line.includes('maintenance of the log failed')))
    expect(errors.join()).toContain('malformed')
  })

  test('is counted once', async () => {
    await using place = await filledPlace()
    await flipByte(place.file, await placeOf(place.file, 'needle-4'))
    await using store = await place.open(fromDisk)
    await readAll(store)
    await readAll(store)
    expect(await store.metric('tocsin_log_damaged_blocks')).toBe(1)
  })

  test('blocks from before there were checksums are read as they are', async () => {
    await using place = await filledPlace()
    update(
      place.file,
      `update block set devices = substr(devices, 1, length(devices) - 9), streams = substr(streams, 1, length(streams) - 4)`
    )
    await using store = await place.open(fromDisk)
    expect(await readAll(store)).toEqual({ seqs: allBut(), gaps: [] })
    expect(store.log.streamPosition('pump-3', 'main')).toBe(3)
  })
})

describe('a start refuses, and says what can be done,', () => {
  const unreadable = (what: string) => ({
    code: 'store-unreadable',
    message: expect.stringMatching(new RegExp(`${what}.*backup.*docs/operate.md`, 's'))
  })

  test.each([0.3, 0.9])('a file that was cut to %d of its length', async part => {
    await using place = await filledPlace()
    const { bytes } = rootPage(place.file, 'block')
    const pages = Math.floor(((BLOCKS * FILLING.length) / bytes) * part)
    await cutShort(place.file, pages * bytes)
    await expect(openIn(place.dir)).rejects.toMatchObject(unreadable('cut short'))
  })

  test('a file that was cut inside its last page', async () => {
    await using place = await filledPlace()
    using db = new DatabaseSync(place.file)
    const pages = Number(db.prepare('pragma page_count').get()?.['page_count'])
    db.close()
    await cutShort(place.file, pages * 8192 - 1)
    await expect(openIn(place.dir)).rejects.toMatchObject(unreadable('1 pages are missing'))
  })

  test.each([
    ['in its first bytes', 3],
    ['in the size of its pages', 16]
  ])('a header that is damaged %s', async (_where, at) => {
    await using place = await filledPlace()
    await flipByte(place.file, at)
    await expect(openIn(place.dir)).rejects.toMatchObject(unreadable('damaged'))
  })

  test('a damaged page of the log’s table', async () => {
    await using place = await filledPlace()
    const { at, bytes } = rootPage(place.file, 'block')
    await overwrite(place.file, at, Buffer.alloc(bytes, 0xa5))
    await expect(openIn(place.dir)).rejects.toMatchObject(unreadable('damaged'))
  })

  test('an index that disagrees with its table', async () => {
    await using place = await filledPlace()
    await (await place.open({ maintenanceMs: 5 })).close()
    const store = await place.open({ maintenanceMs: 5 })
    await eventually(() => rowsOf(place.file, 'stream') === BLOCKS, { what: 'folding of streams' })
    await store.close()
    const { at } = rootPage(place.file, 'sqlite_autoindex_stream_1')
    await flipByte(place.file, await placeOf(place.file, 'pump-5', at))
    await expect(openIn(place.dir)).rejects.toMatchObject(unreadable('table stream'))
  })

  test('a damaged page of a table, in one line', async () => {
    await using place = await filledPlace()
    const { at, bytes } = rootPage(place.file, 'state')
    await overwrite(place.file, at, Buffer.alloc(bytes))
    await expect(openIn(place.dir)).rejects.toMatchObject({
      code: 'store-unreadable',
      message: expect.stringMatching(/^the database in .*backup.*$/)
    })
  })

  test('a block’s list of streams that is damaged', async () => {
    await using place = await filledPlace()
    update(
      place.file,
      `update block set streams = cast(zeroblob(3) || substr(streams, 4) as blob) where first_seq = 4`
    )
    await expect(openIn(place.dir)).rejects.toMatchObject(unreadable('damaged'))
  })

  test.each(['empty', 'missing'])('a database that is %s where there was one', async state => {
    await using place = await filledPlace()
    if (state === 'empty') await truncate(place.file, 0)
    else await rm(place.file)
    await expect(openIn(place.dir)).rejects.toMatchObject({
      code: 'store-unreadable',
      message: expect.stringContaining('remove')
    })
    expect((await stat(place.file).catch(() => null))?.size ?? 0).toBe(0)
    await rm(join(place.dir, 'log.epoch'))
    await using store = await place.open()
    expect(store.log.bounds().last).toBe(0)
  })
})

describe('the end of the write-ahead file', () => {
  /** What a crash leaves of a store that is open, with a byte flipped so far from its end; what its start warns of. */
  async function startAfterCrash({ flipFromEnd }: { flipFromEnd: number | null }) {
    await using place = await sqlitePlace()
    await using running = await place.open()
    for (let index = 1; index <= BLOCKS; index++) await appended(running.log, event(`${index} ${FILLING}`))
    await using copy = await temporaryFolder()
    for (const name of ['tocsin.db', 'tocsin.db-wal', 'log.epoch'])
      await copyFile(join(place.dir, name), join(copy.path, name))
    const wal = join(copy.path, 'tocsin.db-wal')
    if (flipFromEnd !== null) await flipByte(wal, (await stat(wal)).size - flipFromEnd)
    const warnings: unknown[] = []
    const log = pino({ level: 'warn' }, { write: line => void warnings.push(JSON.parse(line)) })
    await using store = await openIn(copy.path, { log })
    return { last: store.log.bounds().last, warnings }
  }

  test('that a crash left whole is taken without a word', async () => {
    expect(await startAfterCrash({ flipFromEnd: null })).toEqual({ last: BLOCKS, warnings: [] })
  })

  test('whose database is gone stays, and the start is refused', async () => {
    await using place = await sqlitePlace()
    await using copy = await temporaryFolder()
    await using running = await place.open()
    await appended(running.log, event('x'))
    for (const name of ['tocsin.db', 'tocsin.db-wal'])
      await copyFile(join(place.dir, name), join(copy.path, name))
    await truncate(join(copy.path, 'tocsin.db'), 0)
    await expect(openIn(copy.path)).rejects.toMatchObject({ code: 'store-unreadable' })
    expect((await stat(join(copy.path, 'tocsin.db-wal'))).size).toBeGreaterThan(0)
  })

  test('that is damaged is left out, with a warning', async () => {
    const { last, warnings } = await startAfterCrash({ flipFromEnd: 30_000 })
    expect(last).toBe(BLOCKS - 1)
    expect(warnings).toMatchObject([{ frames: 4, msg: expect.stringContaining('write-ahead file') }])
  })
})

function update(file: string, text: string): void {
  using db = new DatabaseSync(file)
  db.exec(text)
}

/** The blocks that hold a sequence: one at most. */
function rowsWith(file: string, seq: number): Gap[] {
  using db = new DatabaseSync(file, { readOnly: true })
  return db
    .prepare('select first_seq, last_seq from block where first_seq <= ? and last_seq >= ?')
    .all(seq, seq)
    .map(row => ({ from: Number(row['first_seq']), to: Number(row['last_seq']) }))
}

function rowsOf(file: string, table: string): number {
  using db = new DatabaseSync(file, { readOnly: true })
  return Number(db.prepare(`select count(*) as rows from ${table}`).get()?.['rows'])
}
