// Who is told what, when, how often, and what becomes of it.
import { describe, expect, test } from '@jest/globals'
import type { Notice, Outcome } from '../../../gateway/delivery/notice.ts'
import { metricValue } from '../harness.ts'
import { reading } from '../alerting/drafts.ts'
import { startAlerting } from '../scenarios/alerting-harness.ts'
import {
  HOUR,
  MINUTE,
  SECOND,
  acknowledge,
  deliveries,
  failed,
  fileWith,
  hot,
  inTurn,
  level,
  outcomes,
  told
} from './deliveries.ts'

describe('a group', () => {
  test('waits, then looks at its interval, and repeats what nobody acknowledged', async () => {
    await using harness = await startAlerting({
      file: fileWith('groupWait: 30s, groupInterval: 5m, repeatInterval: 1h')
    })
    const start = harness.clock.now()
    await harness.append(hot('a'))
    await harness.advance(10 * SECOND)
    await harness.append(hot('b'))
    await harness.advance(MINUTE)
    await harness.append(hot('c'), hot('b', 20))
    await harness.advance(2 * HOUR)
    expect(told(harness, start)).toEqual([
      '30 duty alert firing a b',
      '330 duty alert firing (b) a c',
      `${330 + 3600} duty repeat firing a c`
    ])
    await acknowledge(harness, 'a')
    await harness.advance(HOUR)
    expect(told(harness, start).at(-1)).toBe(`${330 + 7200} duty repeat firing c`)
    await acknowledge(harness, 'c')
    await harness.advance(5 * HOUR)
    expect(told(harness, start)).toHaveLength(4)
    await harness.append(hot('a', 20))
    await harness.advance(5 * MINUTE)
    expect(told(harness, start).at(-1)).toContain('duty alert resolved (a)')
  })

  test('tells nothing of what is over within its wait, and says so', async () => {
    await using harness = await startAlerting({ file: fileWith('groupWait: 30s') })
    await harness.append(hot('a'), hot('a', 20))
    await harness.advance(HOUR)
    expect(harness.notices).toEqual([])
    expect(await deliveries(harness)).toEqual([
      expect.objectContaining({
        outcome: 'suppressed',
        channel: 'duty',
        alert: 'a1',
        detail: 'it was resolved before it was told',
        cause: harness.alerting.book.cursorOf(4)
      })
    ])
  })

  test('is made of equal values of fields and labels', async () => {
    await using harness = await startAlerting({ file: fileWith('group: [floor, severity], groupWait: 1s') })
    const start = harness.clock.now()
    await harness.append(reading('a', { c: 31, floor: '1' }), reading('b', { c: 31, floor: '2' }))
    await harness.append(reading('c', { c: 31, floor: '1' }), level('d', 'high'))
    await harness.advance(SECOND)
    expect(told(harness, start).toSorted()).toEqual([
      '1 duty alert firing a c',
      '1 duty alert firing b',
      '1 duty alert firing d'
    ])
    expect(harness.notices.map(({ notice }) => notice.group)).toContainEqual({
      floor: '1',
      severity: 'major'
    })
  })

  test('tells a severity that has risen, and none that has fallen', async () => {
    await using harness = await startAlerting({ file: fileWith('groupWait: 1s, groupInterval: 1m') })
    const start = harness.clock.now()
    await harness.append(level('a', 'low'))
    await harness.advance(2 * MINUTE)
    await harness.append(level('a', 'high'))
    await harness.advance(2 * MINUTE)
    await harness.append(level('a', 'low'))
    await harness.advance(2 * MINUTE)
    expect(told(harness, start)).toEqual(['1 duty alert firing a', '121 duty alert firing a'])
    expect(harness.notices[1]?.notice.alerts[0]?.severity).toBe('critical')
  })

  test('with more alerts than a notice may have says how many more', async () => {
    const delivery = { alertsMax: 3 }
    await using harness = await startAlerting({ file: fileWith('groupWait: 1s'), delivery })
    await harness.append(...['a', 'b', 'c', 'd', 'e'].map(device => hot(device)))
    await harness.advance(SECOND)
    expect(harness.notices[0]?.notice).toMatchObject({ truncated: 2 })
    expect(harness.notices[0]?.notice.alerts).toHaveLength(3)
  })

  test('of a route without resolved notices does not tell the end', async () => {
    await using harness = await startAlerting({
      file: fileWith('groupWait: 1s, groupInterval: 1m, sendResolved: false')
    })
    await harness.append(hot('a'))
    await harness.advance(MINUTE)
    await harness.append(hot('a', 20))
    await harness.advance(HOUR)
    expect(harness.notices).toHaveLength(1)
  })
})

describe('routes', () => {
  test('the first that matches tells, and those after it if it says so', async () => {
    const more = `  - { match: { rules: [level] }, channels: [boss], groupWait: 1s, continue: true }
  - { channels: [duty], groupWait: 1s, name: last }`
    await using harness = await startAlerting({
      file: fileWith('match: { rules: [hot] }, groupWait: 1s', more)
    })
    const start = harness.clock.now()
    await harness.append(hot('a'), level('b', 'low'))
    await harness.advance(SECOND)
    expect(told(harness, start).toSorted()).toEqual([
      '1 boss alert firing b',
      '1 duty alert firing a',
      '1 duty alert firing b'
    ])
  })

  test('that match none tell nobody, and that is said', async () => {
    await using harness = await startAlerting({ file: fileWith('match: { rules: [level] }') })
    await harness.append(hot('a'))
    await harness.advance(HOUR)
    expect(await deliveries(harness)).toEqual([
      expect.objectContaining({ outcome: 'suppressed', channel: '', detail: 'no route is for it' })
    ])
  })

  test('that are quiet tell when that ends, if it still fires', async () => {
    const quiet = 'quiet: [{ timeZone: UTC, times: ["00:00-06:00"], except: critical }]'
    await using harness = await startAlerting({
      file: fileWith(`groupWait: 1s, groupInterval: 1h, repeatInterval: 0, ${quiet}`)
    })
    const start = harness.clock.now()
    await harness.append(hot('a'), hot('b'), level('c', 'high'))
    await harness.advance(3 * HOUR)
    await harness.append(hot('b', 20))
    await harness.advance(4 * HOUR)
    expect(told(harness, start)).toEqual(['1 duty alert firing c', `${6 * 3600} duty alert firing a`])
    const reasons = (await deliveries(harness)).filter(({ outcome }) => outcome === 'suppressed')
    expect(reasons.map(({ detail }) => detail)).toEqual([
      'the route is quiet at this time',
      'the route is quiet at this time'
    ])
  })

  test('that change keep what was told; a route that is new tells what is open', async () => {
    await using harness = await startAlerting({ file: fileWith('groupWait: 1s, repeatInterval: 0') })
    const start = harness.clock.now()
    await harness.append(hot('a'))
    await harness.advance(SECOND)
    harness.file = fileWith(
      'groupWait: 2s, continue: true',
      '  - { name: new, channels: [boss], groupWait: 5s }'
    )
    await harness.alerting.reload()
    await harness.advance(HOUR)
    expect(told(harness, start)).toEqual(['1 duty alert firing a', '6 boss alert firing a'])
  })
})

describe('escalation', () => {
  const route =
    'groupWait: 1s, groupInterval: 1m, repeatInterval: 0, escalate: [{ after: 10m, channels: [boss] }]'

  test('tells others when nobody has acknowledged, and them of the end', async () => {
    await using harness = await startAlerting({ file: fileWith(route) })
    const start = harness.clock.now()
    await harness.append(hot('a'))
    await harness.advance(MINUTE)
    await harness.append(hot('b'))
    await acknowledge(harness, 'b')
    await harness.advance(HOUR)
    expect(told(harness, start)).toEqual(['1 duty alert firing a', '600 boss escalation firing a'])
    await harness.append(hot('a', 20))
    await harness.advance(MINUTE)
    expect(
      told(harness, start)
        .slice(2)
        .map(line => line.split(' ').slice(1).join(' '))
    ).toEqual(['duty alert resolved (a)', 'boss alert resolved (a)'])
  })

  test('that a silence hinders is said, and comes when the silence is over', async () => {
    await using harness = await startAlerting({ file: fileWith(route) })
    const start = harness.clock.now()
    await harness.append(hot('a'))
    await harness.advance(5 * MINUTE)
    const at = harness.clock.now()
    harness.alerting.silences.add(
      { match: { devices: ['a'] }, from: at, until: at + 10 * MINUTE, comment: 'work', author: 'ada' },
      at
    )
    await harness.settle()
    await harness.advance(HOUR)
    expect(told(harness, start)).toEqual([
      '1 duty alert firing a',
      expect.stringMatching(/^9\d\d boss escalation/)
    ])
    const held = (await deliveries(harness)).filter(({ outcome }) => outcome === 'suppressed')
    expect(held.map(({ channel }) => channel)).toEqual(['boss'])
    expect(held[0]?.detail).toContain('work')
  })
})

describe('a delivery', () => {
  test('that fails is attempted again after growing pauses, under the same id', async () => {
    const answer = inTurn(failed, failed, failed)
    await using harness = await startAlerting({ file: fileWith('groupWait: 1s'), answer })
    await harness.append(hot('a'))
    await harness.advance(MINUTE)
    expect(new Set(harness.notices.map(({ notice }) => notice.id)).size).toBe(1)
    expect(await outcomes(harness)).toEqual([
      'failed duty 1',
      'failed duty 2',
      'failed duty 3',
      'sent duty 4'
    ])
    const all = await deliveries(harness)
    expect(all.map(({ at }) => at).map((at, index) => at - (all[index - 1]?.at ?? at))).toEqual([
      0, 750, 1500, 3000
    ])
    expect(all[0]).toMatchObject({ detail: 'answered 503', alert: 'a1', device: 'a', severity: 'major' })
    expect(await metricValue(harness.registry, 'tocsin_deliveries_waiting')).toBe(0)
  })

  test('that is refused, or failed too often, is given up and can be sent again', async () => {
    const refused: Outcome = { outcome: 'refused', detail: 'answered 400' }
    const answer = inTurn(refused, failed, failed)
    await using harness = await startAlerting({
      file: fileWith('groupWait: 1s'),
      answer,
      delivery: { attemptsMax: 2 }
    })
    await harness.append(hot('a'))
    await harness.advance(MINUTE)
    const [first] = await deliveries(harness)
    expect(first).toMatchObject({ outcome: 'gave-up', detail: 'answered 400' })
    const id = first?.delivery ?? ''
    await harness.restart()
    expect(harness.alerting.dispatcher.channels()[0]?.failed).toEqual([
      { id, failedAt: expect.any(Number), alerts: ['a1'] }
    ])
    expect(harness.alerting.dispatcher.resend(id)).toEqual({ ok: true })
    await harness.settle()
    await harness.advance(MINUTE)
    expect(await outcomes(harness)).toEqual(['gave-up duty 1', 'failed duty 1', 'gave-up duty 2'])
    expect(harness.alerting.dispatcher.resend(id)).toEqual({ ok: true })
    await harness.settle()
    expect((await outcomes(harness)).at(-1)).toBe('sent duty 1')
    expect(harness.alerting.dispatcher.resend(id)).toEqual({ ok: false, code: 'delivery-unknown' })
  })

  test('that was not acknowledged by its receiver before a crash is attempted again', async () => {
    let hang = true
    const answer = () => (hang ? new Promise<Outcome>(() => {}) : inTurn()({} as Notice))
    await using harness = await startAlerting({ file: fileWith('groupWait: 1s'), answer })
    await harness.append(hot('a'))
    await harness.advance(SECOND)
    expect(harness.notices).toHaveLength(1)
    hang = false
    await harness.crash({ abandon: true })
    await harness.advance(SECOND)
    expect(harness.notices.map(({ notice }) => notice.id)).toEqual([
      harness.notices[0]?.notice.id,
      harness.notices[0]?.notice.id
    ])
    expect(await outcomes(harness)).toEqual(['sent duty 1'])
  })

  test('waits while the channel’s circuit is open, without an attempt', async () => {
    const answer = inTurn(failed, failed, failed)
    const delivery = { circuitFailures: 3, circuitMs: 60_000 }
    await using harness = await startAlerting({
      file: fileWith('group: [device], groupWait: 1s'),
      answer,
      delivery
    })
    await harness.append(hot('a'), hot('b'), hot('c'))
    await harness.advance(30 * SECOND)
    expect(harness.notices).toHaveLength(3)
    expect(harness.alerting.dispatcher.channels()[0]).toMatchObject({ circuit: 'open', waiting: 3 })
    await harness.append(hot('d'))
    await harness.advance(20 * SECOND)
    expect(harness.notices).toHaveLength(3)
    await harness.advance(20 * SECOND)
    expect((await outcomes(harness)).filter(text => text.startsWith('sent'))).toHaveLength(4)
    expect(harness.alerting.dispatcher.channels()[0]).toMatchObject({ circuit: 'closed', waiting: 0 })
  })

  test('of a channel that the file has no more is given up, and so is one too many', async () => {
    await using harness = await startAlerting({
      file: fileWith('group: [device], groupWait: 1s'),
      answer: async () => failed,
      delivery: { waitingMax: 2 }
    })
    await harness.append(hot('a'), hot('b'), hot('c'))
    await harness.advance(SECOND)
    const over = (await deliveries(harness)).filter(({ outcome }) => outcome === 'gave-up')
    expect(over.map(({ detail }) => detail)).toEqual(['2 deliveries wait for this channel already'])
    harness.file = fileWith('groupWait: 1s').replaceAll('duty', 'night')
    await harness.alerting.reload()
    await harness.settle()
    const gone = (await deliveries(harness)).filter(({ outcome }) => outcome === 'gave-up').slice(1)
    expect(gone.map(({ detail }) => detail)).toEqual(
      Array(2).fill('its channel is in the alerting file no more')
    )
  })

  test('is not begun before it is durable', async () => {
    await using harness = await startAlerting({ file: fileWith('groupWait: 1s') })
    await harness.append(hot('a'))
    await harness.advance(SECOND)
    const rows: string[] = []
    await harness.store.tables.state('outbox', page => rows.push(...page.map(({ key }) => key)))
    expect(rows).toEqual([]) // it was sent, and that is durable
    const [sent] = await deliveries(harness)
    expect(sent).toMatchObject({ outcome: 'sent', attempt: 1, delivery: harness.notices[0]?.notice.id })
  })
})

test('no more given up deliveries of a channel are kept than may wait for it', async () => {
  const refused: Outcome = { outcome: 'refused', detail: 'answered 400' }
  const file = fileWith('group: [device], groupWait: 1s')
  await using harness = await startAlerting({
    file,
    answer: async () => refused,
    delivery: { waitingMax: 3 }
  })
  for (const device of ['a', 'b', 'c', 'd', 'e']) {
    await harness.append(hot(device))
    await harness.advance(2 * SECOND)
  }
  const kept = () => harness.alerting.dispatcher.channels()[0]?.failed.map(({ alerts }) => alerts[0])
  expect(kept()).toEqual(['a3', 'a4', 'a5'])
  await harness.restart()
  expect(kept()).toEqual(['a3', 'a4', 'a5'])
})

test('a test of a channel tells it something made up, and nobody else', async () => {
  await using harness = await startAlerting({ file: fileWith('groupWait: 1s') })
  expect(await harness.alerting.dispatcher.test('duty')).toEqual({ outcome: 'sent', detail: 'ok' })
  expect(harness.notices[0]?.notice).toMatchObject({ reason: 'test' })
  expect(await harness.alerting.dispatcher.test('nobody')).toBeNull()
  expect(await deliveries(harness)).toEqual([])
})
