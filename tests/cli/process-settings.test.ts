import { expect, test } from '@jest/globals'
import { readdir, readFile } from 'node:fs/promises'
import os from 'node:os'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

/** Name and niceness of each thread: fields 2 and 19 of its stat, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function threadsOf(pid: number): Promise<{ name: string; niceness: number }[]> {
  const ids = await readdir(`/proc/${pid}/task`)
  return Promise.all(
    ids.map(async id => {
      const stat = await readFile(`/proc/${pid}/task/${id}/stat`, 'utf8')
      const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return {
        name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
        niceness: Number(afterName[16])
      }
    })
  )
}

const linux = process.platform === 'linux' ? test : test.skip

linux('the engine’s helper threads make way for the event loop and the database', async () => {
  await using folder = await temporaryFolder()
  await using server = await ServerProcess.start(folder.path)
  const threads = await threadsOf(server.pid)
  const own = os.getPriority()
  const helpers = threads.filter(({ name }) => name === 'V8Worker')
  expect(helpers.length).toBeGreaterThan(0)
  for (const { niceness } of helpers) expect(niceness).toBe(Math.min(19, own + 10))
  const others = threads.filter(({ name }) => name !== 'V8Worker')
  expect(others.some(({ name }) => name.startsWith('writer-thread'))).toBe(true)
  for (const { niceness } of others) expect(niceness).toBe(own)
})
