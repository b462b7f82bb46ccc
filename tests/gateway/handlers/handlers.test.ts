// Handlers: routing by named levels, what they may do, and what becomes of one that fails or is slow.
import { pathToFileURL } from 'node:url'
import { writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseTopicPattern } from '../../../gateway/handlers/topic-pattern.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { metricValue } from '../harness.ts'
import { reading } from '../alerting/drafts.ts'
import { startAlerting, type AlertingHarness } from '../scenarios/alerting-harness.ts'

const file = `handlers: [{name: doors, module: doors.mjs}]`

async function startHandlers(source: string) {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'doors.mjs')
  await writeFile(path, source)
  const harness = await startAlerting({
    file,
    moduleUrl: name => pathToFileURL(join(folder.path, name)).href
  })
  return {
    harness,
    path,
    [Symbol.asyncDispose]: async () => {
      await harness[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    }
  }
}

async function alertTexts(harness: AlertingHarness): Promise<string[]> {
  return (await harness.notifications()).flatMap(item =>
    item.kind === 'alert' ? [`${item.change} ${item.rule} ${item.key} ${item.title}`] : []
  )
}

describe('topic patterns', () => {
  test('name levels', () => {
    const { filter, params } = parseTopicPattern('site/:site/+/:door/#')
    expect(filter).toBe('site/+/+/+/#')
    expect(params('site/hall/door/7/a/b')).toEqual({ site: 'hall', door: '7', rest: 'a/b' })
    expect(params('site/hall/door/7')).toEqual({ site: 'hall', door: '7', rest: '' })
  })

  test.each(['site/:/a', 'a/:b/:b', 'a/:__proto__', 'a/#/b', '', 'a/:b-c'])('%s is none', pattern => {
    expect(() => parseTopicPattern(pattern)).toThrow(/name|pattern/)
  })
})

describe('the example that is shipped', () => {
  test('raises and clears, publishes, and appends', async () => {
    const url = pathToFileURL(resolve('docs/examples/door-handlers.mjs')).href
    const night = Date.UTC(2026, 0, 1, 23)
    await using harness = await startAlerting({ file, moduleUrl: () => url, startAt: night })
    await harness.append(reading('d', { open: true }, { topic: 'site/hall/door/7' }))
    await harness.append(reading('d', { open: false }, { topic: 'site/hall/door/7' }))
    await harness.append(reading('d', { percent: 4 }, { topic: 'site/hall/door/7/battery' }))
    expect(await alertTexts(harness)).toEqual([
      'raised doors hall/7 Door 7 of hall is open at night',
      'resolved doors hall/7 Door 7 of hall is open at night'
    ])
    const published = (await harness.notifications()).flatMap(item =>
      item.kind === 'event' && item.source === 'server' ? [item] : []
    )
    expect(
      published.map(({ topic, payload, severity, device, mqtt }) => ({
        topic,
        severity,
        device,
        retain: mqtt?.retain,
        payload: JSON.parse(Buffer.from(payload).toString()) as unknown
      }))
    ).toEqual([
      { topic: 'site/hall/hall/lamp', severity: 'info', device: '', retain: true, payload: { red: true } },
      { topic: 'site/hall/hall/lamp', severity: 'info', device: '', retain: true, payload: { red: false } },
      {
        topic: 'site/hall/maintenance',
        severity: 'warning',
        device: 'd',
        retain: undefined,
        payload: { device: 'd', what: 'change the battery' }
      }
    ])
  })
})

describe('a handler', () => {
  test('has its effects exactly once over a crash', async () => {
    await using started = await startHandlers(`export const handlers = {
      'site/:site/#'(event, actions) { actions.publish('count/' + event.params.site, event.cursor) }
    }`)
    const { harness } = started
    await harness.append(reading('a', 1), reading('a', 2))
    await harness.crash()
    await harness.append(reading('a', 3))
    await harness.crash()
    const published = (await harness.notifications()).filter(
      item => item.kind === 'event' && item.source === 'server'
    )
    expect(published).toHaveLength(3)
  })

  test('that throws, rejects or gives bad values is counted and named, and others go on', async () => {
    await using started = await startHandlers(`export const handlers = {
      'site/#'(event) { if (event.payload === 1) throw new Error('one') },
      'site/+/a'(event, actions) {
        if (event.payload === 2) actions.raise({ severity: 'dreadful', title: 'x' })
        else if (event.payload === 3) return Promise.reject(new Error('three'))
        else actions.raise({ severity: 'minor', title: 'ok' })
      }
    }`)
    const { harness } = started
    for (const n of [1, 2, 3]) await harness.append(reading('a', n))
    expect(await alertTexts(harness)).toEqual(['raised doors a ok'])
    const [all, some] = harness.alerting.handlers()
    expect(all).toMatchObject({ module: 'doors', pattern: 'site/#', events: 3, errors: 1, lastError: 'one' })
    expect(some).toMatchObject({ events: 3, errors: 2, lastError: 'three' })
    const errors = await metricValue(harness.registry, 'tocsin_handler_errors_total', {
      handler: 'doors site/+/a'
    })
    expect(errors).toBe(2)
  })

  test('that holds up the event loop is counted', async () => {
    await using started = await startHandlers(`export const handlers = {
      'site/#'() { const end = performance.now() + 80; while (performance.now() < end); }
    }`)
    const { harness } = started
    await harness.append(reading('a', 1))
    const [status] = harness.alerting.handlers()
    expect(status).toMatchObject({ slow: 1 })
    expect(status?.longestMs).toBeGreaterThanOrEqual(80)
    expect(await metricValue(harness.registry, 'tocsin_handler_slow_total')).toBe(1)
  })

  test.each([
    ['export const handlers = { "a/:a/:a"() {} }', 'named twice'],
    ['this is no module', 'can’t be loaded'],
    ['export const handler = {}', 'must export'],
    ['export const handlers = {}', 'has no handlers'],
    ['export const handlers = { "a/b": 1 }', 'is no function']
  ])('whose module can’t be used (%s) changes nothing', async (source, problem) => {
    await using started = await startHandlers(`export const handlers = {
      'site/#'(event, actions) { actions.raise({ severity: 'minor', title: 'first' }) }
    }`)
    const { harness, path } = started
    await writeFile(join(dirname(path), 'other.mjs'), source)
    harness.file = '\nhandlers: [{name: doors, module: other.mjs}]'
    expect(await harness.alerting.reload()).toEqual({
      ok: false,
      problems: [{ line: 2, message: expect.stringContaining(problem.replace('’', "'")) }]
    })
    await harness.append(reading('a', 1))
    expect(await alertTexts(harness)).toEqual(['raised doors a first'])
  })

  test('is not given what the server itself published', async () => {
    await using started = await startHandlers(`export const handlers = {
      '#'(event, actions) { actions.publish(event.topic, 'again') }
    }`)
    const { harness } = started
    await harness.append(reading('a', 1))
    const events = (await harness.notifications()).filter(({ kind }) => kind === 'event')
    expect(events).toHaveLength(2)
  })
})
