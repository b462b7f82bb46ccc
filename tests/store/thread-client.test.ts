import { describe, expect, test } from '@jest/globals'
import { ThreadClient } from '../../store/sqlite/thread-client.ts'
import { eventually } from '../helpers/eventually.ts'

interface EchoCalls {
  echo: { request: string; answer: string }
  die: { request: null; answer: null }
  close: { request: null; answer: null }
}

const script = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ([id, call, request]) => {
      if (call === 'die') throw new Error('struck by lightning')
      parentPort.postMessage([id, request])
    })`)}`
)

function start(onDeath: (error: Error) => void): ThreadClient<EchoCalls> {
  return new ThreadClient<EchoCalls>(script, { dir: '', sql: {} }, onDeath)
}

describe('a database thread', () => {
  test('that dies fails what waits for it and tells why', async () => {
    const deaths: Error[] = []
    const client = start(error => deaths.push(error))
    expect(await client.call('echo', 'a')).toBe('a')
    await expect(client.call('die', null)).rejects.toThrow('struck by lightning')
    await eventually(() => deaths.length > 0)
    expect(deaths.map(error => error.message)).toEqual(['a database thread ended: struck by lightning'])
    await expect(client.call('echo', 'b')).rejects.toMatchObject({ code: 'store-closed' })
    await client.close()
  })

  test('that is closed answers what it was asked before, and is no death', async () => {
    const deaths: Error[] = []
    const client = start(error => deaths.push(error))
    const answer = client.call('echo', 'a')
    await client.close()
    expect(await answer).toBe('a')
    await expect(client.call('echo', 'b')).rejects.toMatchObject({ code: 'store-closed' })
    expect(deaths).toEqual([])
  })
})
