import { describe, expect, test } from '@jest/globals'
import { DurabilityJudge, markOf, type TracedClient } from './durability.ts'
import type { SystemCall, TraceEvent } from './system-calls.ts'

const client: TracedClient = { name: 'm', protocol: 'mqtt', localPort: 5000 }
const wal = '/data/tocsin.db-wal'
const socket = 'TCP:[127.0.0.1:1883->127.0.0.1:5000]'

function call(name: string, descriptor: string, bytes: Buffer = Buffer.alloc(0)): SystemCall {
  return { name, descriptor, bytes }
}

const whole = (one: SystemCall): TraceEvent[] => [
  { at: 'begin', call: one },
  { at: 'end', call: one }
]

/** A frame of the write-ahead file, the last of its transaction or not. */
function frame(text: string, last: boolean): TraceEvent[] {
  const header = Buffer.alloc(24)
  header.writeUInt32BE(last ? 9 : 0, 4)
  return [...whole(call('pwrite64', wal, header)), ...whole(call('pwrite64', wal, Buffer.from(text)))]
}

const puback = (n: number) => whole(call('write', socket, Buffer.from([0x40, 2, 0, n])))

function earlyIn(...events: TraceEvent[][]): number {
  const judge = new DurabilityJudge([client])
  for (const event of events.flat()) judge.take(event)
  expect(judge.verdict.acknowledged.mqtt).toBeGreaterThan(0)
  return judge.verdict.early.mqtt
}

describe('an acknowledgement is early', () => {
  const sync = call('fsync', wal)
  const [begin, end] = whole(sync) as [TraceEvent, TraceEvent]
  const written = frame(markOf('m', 1), true)

  test('unless an fsync that began after the event was written has ended', () => {
    expect(earlyIn(written, [begin, end], puback(1))).toBe(0)
    expect(earlyIn(written, puback(1), [begin, end])).toBe(1)
    expect(earlyIn(written, [begin], puback(1), [end])).toBe(1)
    expect(earlyIn([begin], written, [end], puback(1))).toBe(1)
  })

  test('while the last frame of its transaction is missing', () => {
    expect(earlyIn(frame(markOf('m', 1), false), [begin, end], puback(1))).toBe(1)
    expect(earlyIn(frame(markOf('m', 1), false), frame('', true), [begin, end], puback(1))).toBe(0)
  })

  test('when the fsync covers another event', () => {
    expect(earlyIn(written, [begin, end], puback(2))).toBe(1)
  })
})
