// The clock that other tests rely on.
import { expect, test } from '@jest/globals'
import { ControlledClock } from './controlled-clock.ts'

test('stands still until it is moved', () => {
  const clock = new ControlledClock(1000)
  expect([clock.now(), clock.now()]).toEqual([1000, 1000])
})

test('runs each timer at its own time and in order, with those that are set on the way', async () => {
  const clock = new ControlledClock(0)
  const ran: [string, number][] = []
  const note = (name: string) => void ran.push([name, clock.now()])
  clock.setTimer(20, () => note('late'))
  clock.setTimer(10, () => {
    note('early')
    clock.setTimer(5, () => note('between'))
    clock.setTimer(500, () => note('beyond'))
  })
  clock.setTimer(10, () => note('early too'))
  clock.setTimer(12, () => note('cleared')).clear()
  await clock.advance(100)
  expect(ran).toEqual([
    ['early', 10],
    ['early too', 10],
    ['between', 15],
    ['late', 20]
  ])
  expect(clock.now()).toBe(100)
  expect(clock.timers).toBe(1)
})

test('lets what a timer begins come to an end before it moves on', async () => {
  const clock = new ControlledClock(0)
  const order: string[] = []
  clock.setTimer(1, () => void Promise.resolve().then(() => order.push('promise')))
  clock.setTimer(2, () => order.push('next timer'))
  await clock.advance(2, async () => void order.push(`settled at ${clock.now()}`))
  expect(order).toEqual([
    'settled at 0',
    'promise',
    'settled at 1',
    'next timer',
    'settled at 2',
    'settled at 2'
  ])
})
