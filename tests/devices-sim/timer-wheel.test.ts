import { describe, expect, test } from '@jest/globals'
import { TimerWheel, WheelTimer } from '../../devices-sim/timer-wheel.ts'
import { eventually } from '../helpers/eventually.ts'
import { steadyClock } from './steady-clock.ts'

describe('the timer wheel', () => {
  test('calls back in the order of the times, never early, also beyond one round', async () => {
    using clock = steadyClock()
    const wheel = new TimerWheel({ tickMs: 2, slots: 16, now: clock.now })
    const called: { delay: number; early: boolean }[] = []
    for (const delay of [90, 5, 33, 61, 0]) {
      const timer = new WheelTimer(() => called.push({ delay, early: clock.now() < delay }))
      wheel.set(timer, delay)
    }
    await eventually(() => wheel.size === 0)
    expect(called.map(({ delay }) => delay)).toEqual([0, 5, 33, 61, 90])
    expect(called.filter(({ early }) => early)).toEqual([])
  })

  test('a timer that is set again rings once, at the later time; a cancelled one never', async () => {
    using clock = steadyClock()
    const wheel = new TimerWheel({ tickMs: 1, now: clock.now })
    const rung: string[] = []
    const again = new WheelTimer(() => rung.push('again'))
    const cancelled = new WheelTimer(() => rung.push('cancelled'))
    wheel.set(again, 1)
    wheel.set(again, 20)
    wheel.set(cancelled, 1)
    wheel.cancel(cancelled)
    wheel.set(new WheelTimer(() => rung.push('between')), 10)
    await eventually(() => wheel.size === 0)
    expect(rung).toEqual(['between', 'again'])
  })

  test('callbacks may set and cancel timers, also of their own slot', async () => {
    using clock = steadyClock()
    const wheel = new TimerWheel({ tickMs: 5, slots: 4, now: clock.now })
    let turns = 0
    const other = new WheelTimer(() => (turns += 1000))
    const self: WheelTimer = new WheelTimer(() => {
      wheel.cancel(other)
      if (++turns < 5) wheel.set(self, 0)
    })
    wheel.set(other, 1)
    wheel.set(self, 1) // rings first: the newest of a slot is at its front
    await eventually(() => wheel.size === 0)
    expect(turns).toBe(5)
  })
})
