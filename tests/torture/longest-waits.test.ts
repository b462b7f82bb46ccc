import { expect, test } from '@jest/globals'
import { LongestWaits } from './longest-waits.ts'

interface Count {
  acknowledged: number
}

function twoSources() {
  const sources: [Count, Count] = [{ acknowledged: 0 }, { acknowledged: 0 }]
  const waits = new LongestWaits(sources, 0)
  /** At this time the source has one event more that was acknowledged. */
  const acknowledge = (index: 0 | 1, nowMs: number) => {
    sources[index].acknowledged++
    waits.look(nowMs)
  }
  return { waits, acknowledge }
}

test('one source waits longest while another is acknowledged', () => {
  const { waits, acknowledge } = twoSources()
  for (const nowMs of [10, 20, 30, 40]) acknowledge(0, nowMs)
  acknowledge(1, 50)
  expect(waits.take(60)).toEqual({ allMs: 10, oneMs: 50 })
})

test('a wait that goes on counts, and as a whole where it ends later', () => {
  const { waits, acknowledge } = twoSources()
  acknowledge(1, 10)
  acknowledge(0, 20)
  expect(waits.take(100)).toEqual({ allMs: 80, oneMs: 90 })
  acknowledge(0, 150)
  acknowledge(1, 160)
  expect(waits.take(160)).toEqual({ allMs: 130, oneMs: 150 })
  expect(waits.take(165)).toEqual({ allMs: 5, oneMs: 15 })
})
