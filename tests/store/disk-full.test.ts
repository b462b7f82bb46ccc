import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { appended, event } from '../contract/store-place.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { openIn } from './sqlite-place.ts'

const run = promisify(execFile)
const MIB = 1024 ** 2

/** A file system of 8 MB, or null where mounting is not permitted. */
async function smallDisk(): Promise<(AsyncDisposable & { path: string }) | null> {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'disk')
  await mkdir(path)
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path])
  } catch {
    await folder[Symbol.asyncDispose]()
    console.log('skipped: mounting a file system is not permitted here')
    return null
  }
  const dispose = async () => {
    await run('umount', ['-l', path])
    await folder[Symbol.asyncDispose]()
  }
  return { path, [Symbol.asyncDispose]: dispose }
}

/** Fills what is left of the disk; returns the file that does. */
async function fill(path: string): Promise<string> {
  const ballast = join(path, 'ballast')
  for (const bytes of [MIB, 65_536, 4096]) {
    try {
      for (;;) await writeFile(ballast, Buffer.alloc(bytes), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  return ballast
}

describe('a full disk', () => {
  test('makes appends wait, in order, and the log recovers by itself', async () => {
    await using disk = await smallDisk()
    if (disk === null) return
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: line => void lines.push(line) })
    await using store = await openIn(join(disk.path, 'data'), { log, recentBytesMax: 100_000 })
    for (let index = 0; index < 10; index++) await appended(store.log, event(`before ${index}`))
    const seen: string[] = []
    store.log.follow(0, ({ items }) => {
      for (const item of items)
        if (item.kind === 'event') seen.push(Buffer.from(item.payload).toString().trim())
    })
    const ballast = await fill(disk.path)

    const order: number[] = []
    const text = (index: number) => `${index}`.padEnd(20_000)
    const waiting = Array.from({ length: 50 }, (_, index) =>
      appended(store.log, event(text(index))).then(() => order.push(index))
    )
    const impatient = appended(store.log, event('impatient'), { failFast: true })
    await expect(impatient).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(store.log.health()).toMatchObject({ writable: false, code: 'disk-full' })
    expect(store.log.health()).toHaveProperty('reason', expect.stringContaining('no space is left'))
    await expect(appended(store.log, event('again'), { failFast: true })).rejects.toMatchObject({
      code: 'store-unavailable'
    })
    await expect(
      store.devices.put({ id: 'd', tokenHash: new Uint8Array(32), createdAt: 0 })
    ).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(order).toEqual([])
    expect(store.log.waitingBytes()).toBeGreaterThan(MIB - 100_000)

    // Reads and followers go on.
    expect((await store.log.read(0, { limit: 100 })).items).toHaveLength(10)
    expect((await store.tables.presence()).length).toBe(0)
    expect(seen).toHaveLength(10)

    await rm(ballast)
    await Promise.all(waiting)
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index))
    expect(store.log.health()).toEqual({ writable: true })
    await appended(store.log, event('after'), { failFast: true })
    await eventually(() => seen.at(-1) === 'after')
    expect(seen.slice(10)).toEqual([...order.map(String), 'after'])
    expect(lines.filter(line => line.includes('log is not writable'))).toHaveLength(1)
    expect(lines.filter(line => line.includes('log is writable again'))).toHaveLength(1)
  })

  test('fails at close what cannot be committed', async () => {
    await using disk = await smallDisk()
    if (disk === null) return
    const dir = join(disk.path, 'data')
    const store = await openIn(dir)
    await appended(store.log, event('kept'))
    await fill(disk.path)
    const lost = appended(store.log, event('x'.repeat(200_000))).catch((error: unknown) => error)
    await eventually(() => !store.log.health().writable)
    await store.close()
    expect(await lost).toMatchObject({ code: 'store-closed' })
    await rm(join(disk.path, 'ballast'))
    await using again = await openIn(dir)
    expect(again.log.bounds()).toMatchObject({ first: 1, last: 1 })
  })
})
