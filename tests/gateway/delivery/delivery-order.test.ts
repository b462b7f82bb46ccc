// In which order the deliveries of a channel are made.
import { describe, expect, test } from '@jest/globals'
import type { Delivery } from '../../../gateway/delivery/delivery.ts'
import type { Notice, Outcome } from '../../../gateway/delivery/notice.ts'
import { Queue } from '../../../gateway/delivery/queue.ts'
import { startAlerting } from '../scenarios/alerting-harness.ts'
import { HOUR, MINUTE, SECOND, failed, fileWith, hot, told } from './deliveries.ts'

function delivery(id: string, lane: string, nextAt = 0): Delivery {
  const notice = { id } as Notice
  return { id, number: 0, channel: 'duty', lane, notice, attempts: 0, nextAt, causeSeq: 0, failedAt: null }
}

/** Takes all that are due. */
function takeAll(queue: Queue, now: number): string[] {
  const ids: string[] = []
  for (let one = queue.take(now); one !== null; one = queue.take(now)) ids.push(one.id)
  return ids
}

describe('a queue', () => {
  test('gives one of a lane at a time, in order, and of different lanes as they fall due', () => {
    const queue = new Queue()
    for (const one of [
      delivery('a1', 'a', 20),
      delivery('a2', 'a'),
      delivery('b1', 'b', 10),
      delivery('c1', 'c', 50)
    ])
      queue.add(one)
    expect(queue.nextAt).toBe(10)
    expect(takeAll(queue, 30)).toEqual(['b1', 'a1'])
    expect(takeAll(queue, 30)).toEqual([])
    queue.remove('a1')
    expect(takeAll(queue, 30)).toEqual(['a2'])
    expect(queue.size).toBe(3)
  })

  test('gives what is put back again when it falls due, before what is behind it', () => {
    const queue = new Queue()
    const first = delivery('a1', 'a')
    queue.add(first)
    queue.add(delivery('a2', 'a'))
    expect(takeAll(queue, 0)).toEqual(['a1'])
    first.nextAt = 10
    queue.putBack(first)
    expect(takeAll(queue, 9)).toEqual([])
    expect(takeAll(queue, 10)).toEqual(['a1'])
  })

  test('gives nothing that is held, nor what is behind it, before it is released', () => {
    const queue = new Queue()
    queue.add(delivery('a1', 'a'), { held: true })
    queue.add(delivery('a2', 'a'))
    expect(takeAll(queue, 0)).toEqual([])
    queue.release('a1')
    expect(takeAll(queue, 0)).toEqual(['a1'])
  })

  test('gives nothing that was removed', () => {
    const queue = new Queue()
    queue.add(delivery('a1', 'a'))
    queue.add(delivery('a2', 'a', 5))
    queue.remove('a2')
    queue.remove('a1')
    queue.remove('a1')
    expect(takeAll(queue, 100)).toEqual([])
    expect([queue.size, queue.has('a1')]).toEqual([0, false])
  })
})

const route = 'group: [device], groupWait: 1s, groupInterval: 10s, repeatInterval: 0'

describe('the end of an alert', () => {
  test('is told when its beginning has been, which holds up nothing else', async () => {
    const down = new Set(['a'])
    const answer = async ({ group }: Notice): Promise<Outcome> =>
      down.has(group['device'] ?? '') ? failed : { outcome: 'sent', detail: 'ok' }
    const delivery = { circuitFailures: 1000 }
    await using harness = await startAlerting({ file: fileWith(route), answer, delivery })
    const start = harness.clock.now()
    await harness.append(hot('a'), hot('b'))
    await harness.advance(5 * SECOND)
    await harness.append(hot('a', 20), hot('b', 20))
    await harness.advance(MINUTE)
    const states = () => told(harness, start).map(line => line.split(' ').slice(3).join(' '))
    expect(states().filter(line => line.includes('b'))).toEqual(['firing b', 'resolved (b)'])
    expect(new Set(states().filter(line => line.includes('a')))).toEqual(new Set(['firing a']))
    down.clear()
    await harness.advance(HOUR)
    expect(states().slice(-2)).toEqual(['firing a', 'resolved (a)'])
  })
})

test('deliveries that wait are made in the same order after a restart', async () => {
  let works = false
  const answer = async (): Promise<Outcome> => (works ? { outcome: 'sent', detail: 'ok' } : failed)
  const file = fileWith('group: [], groupWait: 1s, groupInterval: 1s, repeatInterval: 0')
  await using harness = await startAlerting({ file, answer })
  for (let n = 1; n <= 12; n++) {
    await harness.append(hot(`d${n}`))
    await harness.advance(2 * SECOND)
  }
  await harness.restart()
  works = true
  harness.notices.length = 0
  await harness.advance(HOUR)
  expect(harness.notices.map(({ notice: { alerts } }) => alerts.length)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
  ])
})
