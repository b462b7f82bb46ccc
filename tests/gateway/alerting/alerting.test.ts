// Rules, alerts and the ledger together: restarts, reloads, dry runs, errors.
import { describe, expect, test } from '@jest/globals'
import { AlertingFileError } from '../../../gateway/alerting/alerting.ts'
import type { AlertNotification } from '../../../store/notification.ts'
import { metricValue } from '../harness.ts'
import { startAlerting, type AlertingHarness } from '../scenarios/alerting-harness.ts'
import { presence, reading } from './drafts.ts'

const hot = (changes = '') => `
rules:
  - name: hot
    topics: [site/#]
    when: payload.celsius > 30
    severity: major
    title: '{device} has {payload.celsius}'
    ${changes}
`

async function alertsOf(harness: AlertingHarness): Promise<AlertNotification[]> {
  return (await harness.notifications()).flatMap(item => (item.kind === 'alert' ? [item] : []))
}

async function changesOf(harness: AlertingHarness): Promise<string[]> {
  return (await alertsOf(harness)).map(({ change, key }) => `${change} ${key}`)
}

describe('over a crash', () => {
  test('what was seen and not saved is judged again, and nothing twice', async () => {
    await using harness = await startAlerting({ file: hot() })
    await harness.append(reading('a', { celsius: 20 }), reading('a', { celsius: 31 }))
    await harness.crash()
    await harness.append(reading('b', { celsius: 35 }))
    await harness.crash()
    await harness.append(reading('a', { celsius: 20 }))
    await harness.crash()
    expect(await changesOf(harness)).toEqual(['raised a', 'raised b', 'resolved a'])
    const [first] = await alertsOf(harness)
    expect(first).toMatchObject({ title: 'a has 31', cause: harness.alerting.book.cursorOf(2) })
  })

  test('waits go on from when they began', async () => {
    await using harness = await startAlerting({ file: hot('for: 10m') })
    await harness.append(reading('a', { celsius: 31 }))
    await harness.advance(4 * 60_000)
    await harness.crash()
    await harness.advance(3 * 60_000)
    await harness.crash()
    await harness.advance(3 * 60_000 - 1)
    expect(await changesOf(harness)).toEqual([])
    await harness.advance(1)
    expect(await changesOf(harness)).toEqual(['raised a'])
    expect((await alertsOf(harness))[0]?.title).toBe('a has 31')
  })

  test('a time that has passed while the server was down has passed', async () => {
    await using harness = await startAlerting({ file: hot('for: 10m') })
    await harness.append(reading('a', { celsius: 31 }))
    await harness.advance(6000)
    harness.downFor(60 * 60_000)
    await harness.crash()
    await harness.advance(0)
    expect(await changesOf(harness)).toEqual(['raised a'])
  })

  test('a clock that is set forward is noticed soon, though nothing happens', async () => {
    await using harness = await startAlerting({ file: hot('for: 10m') })
    await harness.append(reading('a', { celsius: 31 }))
    await harness.advance(6000)
    harness.clock.set(60 * 60_000)
    await harness.advance(10_000)
    expect(await changesOf(harness)).toEqual(['raised a'])
  })

  test('counts, acknowledgements and severities are as they were', async () => {
    await using harness = await startAlerting({ file: hot() })
    await harness.append(...[31, 32, 33].map(celsius => reading('a', { celsius })))
    const id = harness.alerting.book.find('hot', 'a')?.id ?? ''
    harness.alerting.book.acknowledge(id, { at: harness.clock.now(), actor: 'ada', comment: 'seen' })
    await harness.alerting.ledger.durable()
    await harness.crash()
    expect(harness.alerting.book.find('hot', 'a')).toMatchObject({
      id,
      state: 'acknowledged',
      count: 3,
      acknowledged: { actor: 'ada', comment: 'seen' }
    })
    await harness.append(reading('a', { celsius: 34 }))
    expect(harness.alerting.book.find('hot', 'a')?.count).toBe(4)
  })
})

describe('a restart', () => {
  test('does not judge a log that was there before there were rules', async () => {
    await using harness = await startAlerting({ file: '' })
    await harness.append(reading('a', { celsius: 40 }))
    harness.file = hot()
    await harness.restart()
    expect(await changesOf(harness)).toEqual([])
    await harness.append(reading('a', { celsius: 41 }))
    expect(await changesOf(harness)).toEqual(['raised a'])
  })

  test('with a file that can’t be used says every problem with its line', async () => {
    await using harness = await startAlerting({ file: hot() })
    harness.file = 'rules:\n  - name: a\n    when: payload.x >\nrouts: []\n'
    await harness.alerting.close()
    const error = await harness.load().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AlertingFileError)
    const lines = (error as AlertingFileError).problems.map(({ line }) => line)
    expect(lines).toEqual(expect.arrayContaining([3, 4]))
    harness.file = hot()
    await harness.load()
  })
})

describe('a reload', () => {
  test('of a file with problems changes nothing', async () => {
    await using harness = await startAlerting({ file: hot() })
    harness.file = hot('sevrity: minor')
    expect(await harness.alerting.reload()).toEqual({
      ok: false,
      problems: [{ line: 8, message: expect.stringContaining('severity') }]
    })
    await harness.append(reading('a', { celsius: 31 }))
    expect(await changesOf(harness)).toEqual(['raised a'])
  })

  test('goes on with what a rule knows unless its condition is another', async () => {
    await using harness = await startAlerting({ file: hot('for: 10m') })
    await harness.append(reading('a', { celsius: 31 }))
    await harness.advance(5 * 60_000)
    harness.file = hot('for: 10m').replace('has', 'is at')
    expect(await harness.alerting.reload()).toMatchObject({ ok: true, rules: 1 })
    await harness.advance(5 * 60_000)
    expect((await alertsOf(harness)).map(({ title }) => title)).toEqual(['a is at 31'])
    await harness.append(reading('b', { celsius: 31 }))
    harness.file = hot('for: 20m')
    await harness.alerting.reload()
    await harness.advance(15 * 60_000)
    expect(await changesOf(harness)).toEqual(['raised a'])
  })

  test('without a rule ends its alerts and forgets its states', async () => {
    await using harness = await startAlerting({ file: hot() })
    await harness.append(reading('a', { celsius: 31 }))
    harness.file = ''
    await harness.alerting.reload()
    await harness.settle()
    expect(await changesOf(harness)).toEqual(['raised a', 'resolved a'])
    expect((await alertsOf(harness)).at(-1)?.comment).toContain('hot')
    const rows: string[] = []
    await harness.store.tables.state('rules', page => rows.push(...page.map(({ key }) => key)))
    expect(rows).toEqual([])
  })

  test('with a new offline rule finds those who are offline already', async () => {
    await using harness = await startAlerting({ file: '' })
    await new Promise<void>(resolve =>
      harness.store.log.append(presence('p', 'offline', 'keepalive'), () => resolve(), {
        changes: [
          {
            put: 'presence',
            row: {
              device: 'p',
              status: 'offline',
              session: 's',
              order: 1,
              reason: 'keepalive',
              since: harness.clock.now()
            }
          }
        ]
      })
    )
    await harness.advance(60 * 60_000)
    harness.file = `rules: [{name: gone, offline: 10m, severity: major, title: '{device}: {reason}'}]`
    await harness.alerting.reload()
    await harness.advance(0)
    expect((await alertsOf(harness)).map(({ title }) => title)).toEqual(['p: keepalive'])
  })
})

describe('an expression that fails', () => {
  test('is counted and shown, and stops nothing', async () => {
    await using harness = await startAlerting({ file: hot() })
    await harness.append(
      reading('a', { fahrenheit: 80 }),
      reading('a', 'text'),
      reading('a', { celsius: 31 })
    )
    expect(await changesOf(harness)).toEqual(['raised a'])
    const [status] = harness.alerting.rules()
    expect(status).toMatchObject({ name: 'hot', evaluations: 3, errors: 2, raised: 1, open: 1 })
    expect(status?.lastError).toEqual(expect.any(String))
    expect(await metricValue(harness.registry, 'tocsin_rule_errors_total', { rule: 'hot' })).toBe(2)
  })

  test('a key too many is not judged, and counted', async () => {
    await using harness = await startAlerting({ file: hot('for: 1h'), settings: { keysMax: 2 } })
    await harness.append(...['a', 'b', 'c'].map(device => reading(device, { celsius: 31 })))
    await harness.advance(60 * 60_000)
    expect(await changesOf(harness)).toEqual(['raised a', 'raised b'])
    expect(await metricValue(harness.registry, 'tocsin_rule_keys_refused_total')).toBe(1)
  })
})

describe('a dry run', () => {
  test('tells what the rule would have raised, without doing it', async () => {
    await using harness = await startAlerting({ file: '' })
    const from = harness.clock.now()
    for (const celsius of [20, 31, 33, 20, 40]) {
      await harness.append(reading('a', { celsius }), reading('b', { celsius: 20 }))
      await harness.advance(60_000)
    }
    const before = harness.store.log.bounds().last
    const result = await harness.alerting.dryRun({
      rule: hot(),
      from,
      to: harness.clock.now(),
      signal: new AbortController().signal
    })
    expect(result).toMatchObject({ ok: true, fired: 2, complete: true, looked: 10, errors: 0 })
    expect(result.ok && result.firings).toEqual([
      expect.objectContaining({
        at: from + 60_000,
        clearedAt: from + 180_000,
        key: 'a',
        title: 'a has 31',
        count: 2
      }),
      expect.objectContaining({ at: from + 240_000, clearedAt: null, title: 'a has 40' })
    ])
    expect(harness.store.log.bounds().last).toBe(before)
    expect([...harness.alerting.book.open()]).toEqual([])
  })

  test('keeps to its range and its limit, and says so', async () => {
    await using harness = await startAlerting({ file: '', settings: { dryRunEventsMax: 3 } })
    const from = harness.clock.now()
    for (let n = 0; n < 6; n++) {
      await harness.append(reading(`d${n}`, { celsius: 31 }))
      await harness.advance(1000)
    }
    const signal = new AbortController().signal
    const run = (first: number, last: number) =>
      harness.alerting.dryRun({ rule: hot(), from: from + first, to: from + last, signal })
    expect(await run(1000, 3000)).toMatchObject({ fired: 2, looked: 2, complete: true })
    expect(await run(0, 6000)).toMatchObject({ fired: 3, looked: 3, complete: false })
  })

  test('of a rule with problems tells them', async () => {
    await using harness = await startAlerting({ file: '' })
    const signal = new AbortController().signal
    const result = await harness.alerting.dryRun({
      rule: '{name: a, topics: [a], wen: "true"}',
      from: 0,
      to: 1,
      signal
    })
    expect(result.ok).toBe(false)
  })
})
