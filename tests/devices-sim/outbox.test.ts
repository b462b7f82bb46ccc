import { describe, expect, test } from '@jest/globals'
import { Outbox, type OutgoingEvent } from '../../devices-sim/outbox.ts'

const event = (n: number): OutgoingEvent => ({
  n,
  topic: 't',
  values: { n },
  malformed: false,
  repeat: false,
  madeAt: 0,
  sentMs: 0,
  done: false
})

describe('the outbox', () => {
  test('keeps every event until its answer, whatever their order', () => {
    const outbox = new Outbox()
    for (let n = 1; n <= 1000; n++) outbox.push(event(n))
    for (let n = 2; n <= 1000; n += 2) outbox.settle(n)
    expect(outbox.waiting).toBe(500)
    expect(outbox.firstN).toBe(1)
    expect(outbox.get(2)).toBeUndefined()
    expect(outbox.get(999)?.n).toBe(999)
    for (let n = 1; n <= 997; n += 2) expect(outbox.settle(n)?.n).toBe(n)
    expect(outbox.firstN).toBe(999)
    expect(outbox.settle(997)).toBeUndefined()
    expect(outbox.settle(999)?.n).toBe(999)
    expect([outbox.waiting, outbox.firstN, outbox.lastN]).toEqual([0, 1001, 1000])
    outbox.push(event(1001))
    expect(outbox.get(1001)?.n).toBe(1001)
  })
})
