// Appointments run in the order of their times, whatever happens to them meanwhile.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Agenda } from '../../../gateway/alerting/agenda.ts'

describe('the agenda', () => {
  test('runs what is due, each with its own time, and leaves the rest', () => {
    const agenda = new Agenda()
    const ran: [string, number][] = []
    agenda.add(30, at => ran.push(['c', at]))
    agenda.add(10, at => ran.push(['a', at]))
    agenda.add(20, at => ran.push(['b', at]))
    expect(agenda.next()).toBe(10)
    expect(agenda.advance(20)).toBe(2)
    expect(ran).toEqual([
      ['a', 10],
      ['b', 20]
    ])
    expect([agenda.size, agenda.next()]).toEqual([1, 30])
    expect(agenda.advance(29)).toBe(0)
  })

  test('keeps appointments of the same time in the order in which they were made', () => {
    const agenda = new Agenda()
    const ran: number[] = []
    for (let index = 0; index < 50; index++) agenda.add(5, () => ran.push(index))
    agenda.advance(5)
    expect(ran).toEqual(Array.from({ length: 50 }, (_, index) => index))
  })

  test('runs what is added on the way when it is due as well', () => {
    const agenda = new Agenda()
    const ran: string[] = []
    agenda.add(10, () => {
      ran.push('first')
      agenda.add(15, () => ran.push('added'))
      agenda.add(5, () => ran.push('overdue'))
      agenda.add(25, () => ran.push('not yet'))
    })
    agenda.add(20, () => ran.push('last'))
    agenda.advance(20)
    expect(ran).toEqual(['first', 'overdue', 'added', 'last'])
  })

  test('forgets what is cancelled, be it before, twice, after it ran, or from another appointment', () => {
    const agenda = new Agenda()
    const ran: string[] = []
    const gone = agenda.add(1, () => ran.push('gone'))
    const done = agenda.add(2, () => ran.push('done'))
    agenda.cancel(gone)
    agenda.cancel(gone)
    agenda.cancel(null)
    expect([agenda.size, agenda.next()]).toEqual([1, 2])
    agenda.advance(2)
    agenda.cancel(done)
    expect(agenda.size).toBe(0)
    agenda.add(3, () => agenda.cancel(later))
    const later = agenda.add(4, () => ran.push('later'))
    agenda.advance(10)
    expect(ran).toEqual(['done'])
    expect([agenda.size, agenda.next()]).toEqual([0, null])
  })

  test('does not grow while appointments are made and cancelled again and again', () => {
    const agenda = new Agenda()
    for (let index = 0; index < 10_000; index++) agenda.cancel(agenda.add(1e12 + index, () => {}))
    expect(agenda.size).toBe(0)
    expect(agenda.next()).toBeNull()
  })

  test('whatever is added and cancelled, the rest runs sorted by time', () => {
    const steps = fc.array(fc.record({ at: fc.nat(50), cancel: fc.boolean() }), { maxLength: 300 })
    fc.assert(
      fc.property(steps, list => {
        const agenda = new Agenda()
        const ran: { at: number; index: number }[] = []
        const made = list.map(({ at }, index) => agenda.add(at, () => ran.push({ at, index })))
        list.forEach(({ cancel }, index) => cancel && agenda.cancel(made[index] ?? null))
        const wanted = list
          .map(({ at, cancel }, index) => ({ at, index, cancel }))
          .filter(({ cancel }) => !cancel)
          .toSorted((a, b) => a.at - b.at || a.index - b.index)
          .map(({ at, index }) => ({ at, index }))
        expect(agenda.size).toBe(wanted.length)
        agenda.advance(100)
        expect(ran).toEqual(wanted)
      })
    )
  })
})
