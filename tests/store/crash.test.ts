import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { appended, event } from '../contract/store-place.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { openIn } from './sqlite-place.ts'

const child = fileURLToPath(new URL('appender-child.js', import.meta.url))

/** Runs the appending process on `dir`, kills it after some acknowledgements; resolves with the last of each device. */
async function appendAndKill(dir: string, acknowledgements: number): Promise<Map<string, number>> {
  const process_ = spawn(process.execPath, [child, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(process_, 'exit')
  let output = ''
  process_.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    if (output.split('\n').length > acknowledgements) process_.kill('SIGKILL')
  })
  const [, signal] = (await exited) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  await eventually(() => process_.stdout.readableEnded || process_.stdout.destroyed)
  const acknowledged = new Map<string, number>()
  for (const line of output.split('\n').slice(0, -1)) {
    const [device = '', seq = ''] = line.split(' ')
    acknowledged.set(device, Number(seq))
  }
  return acknowledged
}

describe('a process that is killed while it appends', () => {
  test('has in its log all that it acknowledged, once and in order, and streams that say so', async () => {
    await using folder = await temporaryFolder()
    // Each of the five devices appends twenty at a time, so a hundred acknowledgements are some of each.
    for (const acknowledgements of [100, 3000, 800]) {
      const acknowledged = await appendAndKill(folder.path, acknowledgements)
      await using store = await openIn(folder.path)
      const found = new Map<string, number>()
      store.log.follow(0, ({ items }) => {
        for (const item of items) {
          if (item.kind !== 'event') throw new Error('only events were appended')
          const seq = (found.get(item.device) ?? 0) + 1
          expect(Buffer.from(item.payload).toString()).toBe(`${item.device} ${seq}`)
          found.set(item.device, seq)
        }
      })
      const { last } = store.log.bounds()
      await eventually(() => [...found.values()].reduce((sum, seq) => sum + seq, 0) === last)
      expect(acknowledged.size).toBe(5)
      for (const [device, seq] of acknowledged) {
        expect(found.get(device)).toBeGreaterThanOrEqual(seq)
        expect(store.log.streamPosition(device, 'main')).toBe(found.get(device))
      }
    }
  })

  test('leaves its folder free for the next', async () => {
    await using folder = await temporaryFolder()
    const running = spawn(process.execPath, [child, folder.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(running, 'exit')
    await once(running.stdout, 'data')
    running.stdout.resume()
    await expect(openIn(folder.path)).rejects.toMatchObject({
      code: 'store-locked',
      message: expect.stringContaining(folder.path)
    })
    running.kill('SIGKILL')
    await exited
    await using store = await openIn(folder.path)
    await appended(store.log, event('next'))
  })
})
