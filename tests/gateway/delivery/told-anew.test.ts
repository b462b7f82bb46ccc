// Who is told what after the file has changed, the server was away, or an alert is another route's matter now.
import { describe, expect, test } from '@jest/globals'
import { startAlerting } from '../scenarios/alerting-harness.ts'
import { HOUR, MINUTE, SECOND, deliveries, fileWith, hot, level, outcomes, told } from './deliveries.ts'

const quick = 'groupWait: 1s, groupInterval: 1m'

describe('a change of the routes', () => {
  test('tells nobody anew, though a route has come before one without a name', async () => {
    await using harness = await startAlerting({ file: fileWith(`${quick}, repeatInterval: 1h`) })
    const start = harness.clock.now()
    await harness.append(hot('a'))
    await harness.advance(MINUTE)
    const first = '  - { match: { rules: [level] }, channels: [boss] }'
    harness.file = fileWith(`${quick}, repeatInterval: 1h`).replace('routes:\n', `routes:\n${first}\n`)
    await harness.alerting.reload()
    await harness.advance(50 * MINUTE)
    expect(told(harness, start)).toEqual(['1 duty alert firing a'])
    await harness.append(hot('a', 20))
    await harness.advance(2 * MINUTE)
    expect(told(harness, start).map(line => line.replace(/^\d+ /, ''))).toEqual([
      'duty alert firing a',
      'duty alert resolved (a)'
    ])
  })

  test('to other groups takes along what was told', async () => {
    await using harness = await startAlerting({
      file: fileWith(`${quick}, group: [rule], repeatInterval: 1h`)
    })
    const start = harness.clock.now()
    await harness.append(hot('a'), hot('b'))
    await harness.advance(10 * SECOND)
    harness.file = fileWith(`${quick}, group: [device], repeatInterval: 1h`)
    await harness.alerting.reload()
    await harness.advance(50 * MINUTE)
    expect(told(harness, start)).toEqual(['1 duty alert firing a b'])
    await harness.advance(20 * MINUTE)
    expect(
      told(harness, start)
        .slice(1)
        .map(line => line.replace(/^\d+ /, ''))
    ).toEqual(['duty repeat firing a', 'duty repeat firing b'])
  })
})

describe('an alert that a route is for no more', () => {
  test('is not repeated, and its end is told', async () => {
    const file = fileWith(`${quick}, match: { severityMin: critical }, repeatInterval: 10m`)
    await using harness = await startAlerting({ file })
    const start = harness.clock.now()
    await harness.append(level('a', 'high'))
    await harness.advance(MINUTE)
    await harness.append(level('a', 'low'))
    await harness.advance(HOUR)
    expect(told(harness, start)).toEqual(['1 duty alert firing a'])
    await harness.append(level('a', 'none'))
    await harness.advance(MINUTE)
    expect(told(harness, start).at(-1)).toContain('duty alert resolved (a)')
  })

  test('is told again when it is for it again', async () => {
    const file = fileWith(`${quick}, match: { severityMin: critical }, repeatInterval: 10m`)
    await using harness = await startAlerting({ file })
    await harness.append(level('a', 'high'))
    await harness.advance(MINUTE)
    await harness.append(level('a', 'low'))
    await harness.advance(HOUR)
    await harness.append(level('a', 'high'))
    await harness.advance(2 * MINUTE)
    expect(harness.notices).toHaveLength(2)
  })
})

describe('after the server was away', () => {
  test('of the repeats that fell due, the last is told', async () => {
    await using harness = await startAlerting({ file: fileWith(`${quick}, repeatInterval: 4h`) })
    const start = harness.clock.now()
    await harness.append(hot('a'))
    await harness.advance(MINUTE)
    harness.downFor(25 * HOUR)
    await harness.crash()
    await harness.advance(MINUTE)
    expect(told(harness, start)).toEqual(['1 duty alert firing a', `${24 * 3600 + 1} duty repeat firing a`])
    await harness.advance(4 * HOUR)
    expect(told(harness, start).slice(2)).toEqual([`${28 * 3600 + 1} duty repeat firing a`])
  })

  test('it is not said once more that no route is for an alert', async () => {
    await using harness = await startAlerting({ file: fileWith('match: { rules: [level] }') })
    await harness.append(hot('a'))
    await harness.restart()
    await harness.alerting.reload()
    await harness.settle()
    expect(await outcomes(harness)).toEqual(['suppressed  0'])
  })

  test('a group goes on as if nothing had been', async () => {
    await using harness = await startAlerting({ file: fileWith('groupWait: 30s, repeatInterval: 1h') })
    const start = harness.clock.now()
    await harness.append(hot('a'))
    await harness.advance(10 * SECOND)
    await harness.restart()
    await harness.append(hot('b'))
    await harness.advance(MINUTE)
    await harness.restart()
    await harness.append(hot('a', 20))
    await harness.advance(5 * MINUTE)
    await harness.restart()
    await harness.advance(HOUR)
    expect(told(harness, start)).toEqual([
      '30 duty alert firing a b',
      '330 duty alert firing (a) b',
      '3930 duty repeat firing b'
    ])
  })
})

describe('what a quiet time or a silence hinders', () => {
  test('an end waits, and is told afterwards', async () => {
    const quiet = 'quiet: [{ timeZone: UTC, times: ["01:00-06:00"] }]'
    await using harness = await startAlerting({ file: fileWith(`${quick}, repeatInterval: 0, ${quiet}`) })
    const start = harness.clock.now()
    await harness.append(hot('a'), hot('b'))
    await harness.advance(2 * HOUR)
    await harness.append(hot('a', 20))
    await harness.restart()
    await harness.advance(5 * HOUR)
    expect(told(harness, start)).toEqual(['1 duty alert firing a b', `${6 * 3600} duty alert firing (a) b`])
    expect((await deliveries(harness)).map(({ outcome, detail }) => `${outcome} ${detail}`)).toEqual([
      'sent ok',
      'suppressed the route is quiet at this time',
      'sent ok'
    ])
  })

  test('is said once for an alert and a reason', async () => {
    await using harness = await startAlerting({ file: fileWith(`${quick}, repeatInterval: 10m`) })
    const silence = (comment: string, from: number, until: number) => {
      const at = harness.clock.now()
      const times = { from: at + from, until: at + until }
      harness.alerting.silences.add({ match: {}, ...times, comment, author: 'ada' }, at)
    }
    await harness.append(hot('a'))
    await harness.advance(MINUTE)
    silence('first', 0, 30 * MINUTE)
    silence('second', 30 * MINUTE, HOUR)
    await harness.settle()
    await harness.advance(2 * HOUR)
    const said = (await deliveries(harness)).filter(({ outcome }) => outcome === 'suppressed')
    expect(said.map(({ detail }) => detail.split(': ').at(-1))).toEqual(['first', 'second'])
  })
})
