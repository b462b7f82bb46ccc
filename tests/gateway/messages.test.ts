// How notifications are written: payloads in both formats, frames, filters and their index.
import { describe, expect, test } from '@jest/globals'
import { pack as packValue, unpack } from '../../gateway/feed/payload.ts'
import { parseFilter, filterKey } from '../../gateway/feed/filter.ts'
import { FilterIndex } from '../../gateway/feed/filter-index.ts'
import { encodeBatch } from '../../gateway/feed/batches.ts'
import { cutFrames } from '../../gateway/feed/frames.ts'
import { Entry, notificationJson, notificationMessagePack } from '../../gateway/feed/messages.ts'
import { messagePackShape } from '../../gateway/feed/messagepack-value.ts'
import { formatCursor } from '../../store/cursor.ts'
import { compileFilter } from '../../store/filter.ts'
import type { EventNotification, Notification } from '../../store/notification.ts'
import type { Filter } from '../../store/store.ts'
import { event } from './harness.ts'

const notification = (overrides: Partial<EventNotification> = {}): EventNotification => ({
  ...event(),
  seq: 40,
  at: 1000,
  ...overrides
})
const json = (overrides: Partial<EventNotification>) =>
  JSON.parse(notificationJson('e', notification(overrides))) as Record<string, unknown>
const packed = (overrides: Partial<EventNotification>) =>
  unpack(notificationMessagePack('e', notification(overrides))) as Record<string, unknown>

describe('a payload', () => {
  const plain: [string, unknown][] = [
    ['21.5', 21.5],
    [' {"a": [1, null]}\n', { a: [1, null] }],
    ['"text"', 'text'],
    ['true', true],
    ['on', 'on'],
    ['', ''],
    ['{"a":', '{"a":'],
    ['+5', '+5'],
    ['naïve ☃', 'naïve ☃'],
    ['line\nbreak "quoted"', 'line\nbreak "quoted"'],
    ['['.repeat(100_000) + ']'.repeat(100_000), '['.repeat(100_000) + ']'.repeat(100_000)]
  ]
  test.each(plain)('of plain bytes is JSON if it parses, else text: %.20j', (text, value) => {
    const payload = Buffer.from(text)
    expect(json({ payload })).toEqual({
      cursor: 'e-14',
      at: 1000,
      kind: 'event',
      device: 'dev-1',
      severity: 'info',
      topic: 'site/a/temperature',
      payload: value,
      source: 'mqtt'
    })
    expect(packed({ payload })['payload']).toEqual(value)
  })

  test('keeps every digit of a JSON number', () => {
    const payload = Buffer.from('{"id":12345678901234567890123}')
    expect(notificationJson('e', notification({ payload }))).toContain('12345678901234567890123')
  })

  test('that is neither JSON nor text is bytes, as base64 in JSON', () => {
    const payload = Buffer.of(0xff, 0x00, 0xfe)
    expect(json({ payload })).toMatchObject({ payload: '/wD+', encoding: 'base64' })
    expect(packed({ payload })['payload']).toEqual(payload)
  })

  test('of MessagePack is its value', () => {
    const value = { t: 21.5, list: [1, 'two', null], big: 2 ** 40, data: Buffer.from('hi') }
    const payload = packValue(value)
    expect(json({ payload, format: 'msgpack' })).toMatchObject({ payload: { ...value, data: 'aGk=' } })
    expect(packed({ payload, format: 'msgpack' })).toMatchObject({ payload: value })
    const huge = Buffer.from('cfffffffffffffffff', 'hex')
    expect(json({ payload: huge, format: 'msgpack' })['payload']).toBe('18446744073709551615')
  })

  test('that claims to be MessagePack and is not harms no message', () => {
    for (const hex of ['', 'c1', '92c0', 'c0c0', 'dd7fffffff', 'a5616263', '81c0', 'c70572ffffff']) {
      const payload = Buffer.from(hex, 'hex')
      expect(messagePackShape(payload)).not.toBe('plain')
      expect(json({ payload, format: 'msgpack' })).toMatchObject({
        payload: payload.toString('base64'),
        encoding: 'base64'
      })
      expect(packed({ payload, format: 'msgpack' })).toMatchObject({ payload })
    }
    const deep = Buffer.concat([Buffer.alloc(100_000, 0x91), Buffer.of(0xc0)])
    expect(messagePackShape(deep)).toBe('malformed')
  })

  test('of every MessagePack type is found well-formed', () => {
    const hexes = [
      '00',
      'ff',
      'c0',
      'c2',
      'a161',
      'd90161',
      'da000161',
      'db0000000161',
      'c40100',
      'c5000100',
      'c60000000100'
    ]
    hexes.push(
      'ca00000000',
      'cb0000000000000000',
      'cc00',
      'cd0000',
      'ce00000000',
      'cf0000000000000000',
      'd000',
      'd10000'
    )
    hexes.push(
      'd200000000',
      'd30000000000000000',
      '9101',
      'dc000101',
      'dd0000000101',
      '810102',
      'de00010102',
      'df000000010102',
      'd6ff00000000'
    )
    for (const hex of hexes) {
      const bytes = Buffer.from(hex, 'hex')
      expect({ hex, shape: messagePackShape(bytes) }).toEqual({ hex, shape: 'plain' })
      if (bytes.length > 1) expect(messagePackShape(bytes.subarray(0, -1))).toBe('malformed')
    }
  })
})

test('every kind is written with its own fields', () => {
  const placed = { seq: 40, at: 1000, device: 'd', severity: 'major' as const }
  const all: Notification[] = [
    { ...placed, kind: 'presence', status: 'offline', reason: 'r', session: 's', order: 2 },
    {
      ...placed,
      kind: 'alert',
      alert: 'a',
      rule: 'r',
      key: 'k',
      state: 'firing',
      change: 'raised',
      firstAt: 1000,
      title: 't',
      detail: 'd',
      count: 3,
      cause: 'e-1',
      labels: { site: 'hall' },
      actor: 'me'
    },
    {
      ...placed,
      kind: 'delivery',
      alert: 'a',
      delivery: 'n-1',
      channel: 'c',
      attempt: 1,
      outcome: 'sent',
      detail: 'd',
      cause: 'e-1'
    }
  ]
  for (const one of all) {
    const { seq: _, ...fields } = one
    expect(JSON.parse(notificationJson('e', one))).toEqual({ ...fields, cursor: 'e-14' })
    expect(unpack(notificationMessagePack('e', one))).toEqual({ ...fields, cursor: 'e-14' })
  }
})

describe('a batch', () => {
  test('is one WebSocket frame, whatever its length', () => {
    for (const [length, header] of [
      [1, 4],
      [70_000, 10]
    ] as const) {
      for (const format of ['json', 'msgpack'] as const) {
        const entry = new Entry(notification({ payload: Buffer.from(`"${'é'.repeat(length)}"`) }))
        const frame = encodeBatch(format, [entry], { epoch: 'e', id: 'ü', through: 40 })
        expect(frame[0]).toBe(format === 'json' ? 0x81 : 0x82)
        expect(header === 4 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2))).toBe(
          frame.length - header
        )
        const body = frame.subarray(header)
        const message = format === 'json' ? JSON.parse(body.toString()) : unpack(body)
        expect(message).toMatchObject({
          type: 'notifications',
          id: 'ü',
          cursor: 'e-14',
          items: [{ payload: 'é'.repeat(length) }]
        })
      }
    }
  })

  test('is cut into frames of a bounded size, each saying how far it reaches', () => {
    const entries = [1, 2, 3, 4].map(
      seq => new Entry(notification({ seq, payload: Buffer.alloc(100_000, 'x') }))
    )
    const frames = cutFrames(entries, { epoch: 'e', id: 'a', format: 'json', through: 9 })
    expect(frames.map(({ through, count }) => ({ through, count }))).toEqual([
      { through: 3, count: 3 },
      { through: 9, count: 1 }
    ])
  })

  test('is the same for all who get it, in one go or entry by entry', () => {
    const seqs = [1, 2, 3]
    const options = { epoch: 'e', id: 'a', through: 3 }
    for (const format of ['json', 'msgpack', 'sse'] as const) {
      const shared = seqs.map(seq => new Entry(notification({ seq })))
      const forOne = seqs.map(seq => new Entry(notification({ seq }), { shared: false }))
      const first = encodeBatch(format, shared, options)
      expect(encodeBatch(format, shared, options)).toEqual(first)
      expect(encodeBatch(format, forOne, options)).toEqual(first)
    }
  })

  test('as events is one event for each, with its place', () => {
    const entries = [40, 41].map(seq => new Entry(notification({ seq, payload: Buffer.from('{\n"a":1}') })))
    const events = encodeBatch('sse', entries, { epoch: 'e', id: '', through: 41 }).toString()
    expect(events.split('\n\n')).toEqual([
      ...entries.map(
        ({ notification: one }) =>
          `id: ${formatCursor('e', one.seq)}\nevent: notification\ndata: ${notificationJson('e', one)}`
      ),
      ''
    ])
  })
})

describe('filters', () => {
  test('that mean the same are the same', () => {
    const one = parseFilter(
      { devices: ['b', 'a', 'b'], kinds: ['event', 'alert', 'presence', 'delivery'], severityMin: 'info' },
      10
    )
    expect(one).toEqual({ devices: ['a', 'b'] })
    expect(filterKey(one)).toBe(filterKey(parseFilter({ devices: ['a', 'b'] }, 10)))
  })

  test('in an index find what each would find alone', () => {
    const choices: Filter[] = []
    for (const devices of [undefined, ['d1'], ['d2', 'd3']])
      for (const topics of [undefined, ['a/#', 'a/b'], ['+/c']])
        for (const severityMin of [undefined, 'minor'] as const)
          for (const kinds of [undefined, ['event'], ['presence']] as const)
            choices.push({
              ...(devices && { devices }),
              ...(topics && { topics }),
              ...(severityMin && { severityMin }),
              ...(kinds && { kinds })
            })
    const index = new FilterIndex<{ filter: Filter }>()
    const values = choices.map(filter => ({ filter }))
    for (const value of values) index.add(value)
    const removed = new Set(values.filter((_, at) => at % 5 === 0))
    for (const value of removed) index.remove(value)
    for (const device of ['d1', 'd2', 'd9'])
      for (const severity of ['info', 'critical'] as const)
        for (const topic of ['a', 'a/b', 'b/c', 'x']) {
          const some: Notification[] = [
            notification({ device, severity, topic }),
            {
              kind: 'presence',
              device,
              severity,
              seq: 1,
              at: 1,
              status: 'online',
              reason: '',
              session: '',
              order: 1
            }
          ]
          for (const one of some) {
            const found = new Set<{ filter: Filter }>()
            index.match(one, value => found.add(value))
            const expected = values.filter(value => !removed.has(value) && compileFilter(value.filter)(one))
            expect(found).toEqual(new Set(expected))
          }
        }
    for (const value of values) index.remove(value)
    expect(index.size).toBe(0)
  })
})
