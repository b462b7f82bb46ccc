// Alerts from outside: what bodies mean, and what becomes of them.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseAlertmanagerAlerts } from '../../../gateway/alerts/alertmanager-alerts.ts'
import { ExternalAlerts } from '../../../gateway/alerts/external-alerts.ts'
import { parsePostedAlert } from '../../../gateway/alerts/posted-alert.ts'
import { BookPlace } from './book-place.ts'

const RESOLVE_MS = 300_000

function load({ store: { tables }, ledger, agenda, clock, book }: BookPlace): Promise<ExternalAlerts> {
  const settings = { externalResolveMs: RESOLVE_MS }
  return ExternalAlerts.load({ tables, ledger, agenda, clock, book, settings })
}

const trigger = { action: 'trigger', dedupKey: 'backup/db-1', title: 'Backup failed' }
const labels = { alertname: 'HighLoad', instance: 'db-1:9100', severity: 'page' }

function post(external: ExternalAlerts, body: object, at = 1000) {
  const [applied] = external.apply([parsePostedAlert(body)], { at, actor: 'backup job' })
  if (applied?.ok !== true) throw new Error(applied?.code)
  return { id: applied.alert?.id ?? null, changed: applied.changed }
}

function send(external: ExternalAlerts, body: unknown, at: number) {
  const { operations, problems } = parseAlertmanagerAlerts(body, at)
  expect(problems).toEqual([])
  return external.apply(operations, { at, actor: 'prometheus' })
}

function refusal(body: unknown): unknown {
  try {
    parsePostedAlert(body)
  } catch (error) {
    return (error as { extra: { errors: { path: string }[] } }).extra.errors.map(({ path }) => path)
  }
  throw new Error('not refused')
}

describe('a posted alert', () => {
  test('needs an action, a key and a title; the rest has defaults', () => {
    expect(parsePostedAlert(trigger)).toEqual({
      action: 'trigger',
      origin: 'api',
      rule: 'api',
      key: 'backup/db-1',
      device: '',
      severity: 'warning',
      title: 'Backup failed',
      detail: '',
      labels: {},
      runbook: '',
      endsAt: null
    })
    expect(parsePostedAlert({ action: 'resolve', dedupKey: 'x', rule: 'r', comment: 'done' })).toEqual({
      action: 'resolve',
      origin: 'api',
      rule: 'r',
      key: 'x',
      comment: 'done'
    })
  })

  test.each<[string, unknown, string[]]>([
    ['that is no object', [trigger], ['body']],
    ['of an unknown action', { ...trigger, action: 'fire' }, ['body/action']],
    ['without key and title', { action: 'trigger' }, ['body/dedupKey', 'body/title']],
    ['whose key is too long', { ...trigger, dedupKey: 'x'.repeat(256) }, ['body/dedupKey']],
    ['with unknown fields', { ...trigger, dedup_key: 'x' }, ['body']],
    ['that ends one and has a title', { ...trigger, action: 'resolve' }, ['body']],
    ['of an unknown severity', { ...trigger, severity: 'error' }, ['body/severity']],
    ['with a label that is no text', { ...trigger, labels: { site: 1 } }, ['body/labels/site']],
    ['whose runbook is no web page', { ...trigger, runbook: 'javascript:alert(1)' }, ['body/runbook']],
    ['of an impossible device', { ...trigger, device: 'a\nb' }, ['body/device']],
    ['of several mistakes', { ...trigger, title: 7, detail: {} }, ['body/title', 'body/detail']]
  ])('%s is refused with what is wrong', (_, body, paths) => {
    expect(refusal(body)).toEqual(paths)
  })

  test('opens an alert of its rule and key, adds to it, and ends it', async () => {
    await using place = await BookPlace.open()
    const external = await load(place)
    expect(
      post(external, { ...trigger, device: 'db-1', severity: 'major', labels: { site: 'hall' } })
    ).toEqual({ id: 'a1', changed: true })
    expect(post(external, { ...trigger, title: 'Backup failed again' })).toEqual({ id: 'a1', changed: true })
    expect(place.book.byId('a1')).toMatchObject({
      origin: 'api',
      rule: 'api',
      key: 'backup/db-1',
      title: 'Backup failed again',
      count: 2
    })
    const acknowledge = { action: 'acknowledge', dedupKey: 'backup/db-1', comment: 'I know' }
    expect(post(external, acknowledge)).toEqual({ id: 'a1', changed: true })
    expect(post(external, acknowledge)).toEqual({ id: 'a1', changed: false })
    const resolve = { action: 'resolve', dedupKey: 'backup/db-1' }
    expect(post(external, resolve, 2000)).toEqual({ id: 'a1', changed: true })
    expect(post(external, resolve, 2000)).toEqual({ id: null, changed: false })
    expect(post(external, trigger).id).toBe('a2')
    const told = await place.alertNotifications()
    expect(told.find(({ change }) => change === 'acknowledged')).toMatchObject({
      actor: 'backup job',
      comment: 'I know'
    })
  })

  test('never ends by itself', async () => {
    await using place = await BookPlace.open()
    post(await load(place), trigger)
    await place.until(100 * RESOLVE_MS)
    expect(place.book.byId('a1')).toBeDefined()
  })
})

describe('an alert of Alertmanager’s API', () => {
  test('takes its fields from labels and annotations', () => {
    const annotations = {
      summary: 'Load is high',
      description: 'It is 17',
      runbook_url: 'https://wiki.example/load',
      dashboard: 'https://x'
    }
    expect(parseAlertmanagerAlerts([{ labels, annotations, generatorURL: 'http://p/graph' }], 0)).toEqual({
      operations: [
        {
          action: 'trigger',
          origin: 'alertmanager',
          rule: 'HighLoad',
          key: '{instance="db-1:9100",severity="page"}',
          device: 'db-1:9100',
          severity: 'major',
          title: 'Load is high',
          detail: 'It is 17',
          labels,
          runbook: 'https://wiki.example/load',
          endsAt: null
        }
      ],
      problems: []
    })
    const bare = parseAlertmanagerAlerts([{ labels: { device: 'd', instance: 'i', gone: '' } }], 0)
    expect(bare.operations[0]).toMatchObject({
      rule: 'alertmanager',
      key: '{device="d",instance="i"}',
      device: 'd',
      title: 'alertmanager',
      severity: 'warning'
    })
  })

  test.each([
    ['critical', 'critical'],
    ['Error', 'major'],
    ['minor', 'minor'],
    ['warn', 'warning'],
    ['INFO', 'info'],
    ['constructor', 'warning']
  ])('of severity %s is %s', (severity, ours) => {
    const [operation] = parseAlertmanagerAlerts([{ labels: { severity } }], 0).operations
    expect(operation).toMatchObject({ severity: ours })
  })

  test('has a key that the order of its labels does not change, and that is never too long', () => {
    const texts = fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), { minKeys: 1 })
    const keyOf = (body: object) => parseAlertmanagerAlerts([{ labels: body }], 0).operations[0]?.key
    fc.assert(
      fc.property(texts, one => {
        expect(keyOf(Object.fromEntries(Object.entries(one).toReversed()))).toBe(keyOf(one))
      })
    )
    const long = ['a', 'b'].map(end => keyOf({ text: 'x'.repeat(3000) + end }) ?? '')
    expect(long.map(key => key.length)).toEqual([512, 512])
    expect(long[0]).not.toBe(long[1])
  })

  test('is over when its end has passed; Go’s zero time is no end', () => {
    const at = Date.parse('2026-05-01T12:00:00Z')
    const actionOf = (endsAt: string) =>
      parseAlertmanagerAlerts([{ labels, endsAt }], at).operations.map(operation =>
        operation.action === 'trigger' ? operation.endsAt : operation.action
      )
    expect(actionOf('2026-05-01T11:59:59.123456789Z')).toEqual(['resolve'])
    expect(actionOf('2026-05-01T14:00:01+02:00')).toEqual([at + 1000])
    expect(actionOf('0001-01-01T00:00:00Z')).toEqual([null])
  })

  test('that is wrong is passed by and named, the others are good', () => {
    const { operations, problems } = parseAlertmanagerAlerts(
      [{ labels: {} }, { labels }, { labels, endsAt: 'soon' }, 7, { labels: { a: 1 }, annotations: 7 }],
      0
    )
    expect(operations).toHaveLength(1)
    expect(problems.map(({ path }) => path)).toEqual([
      'body/0/labels',
      'body/2/endsAt',
      'body/3',
      'body/3/labels',
      'body/4/labels/a',
      'body/4/annotations'
    ])
    expect(() => parseAlertmanagerAlerts({ labels }, 0)).toThrow('body must be a list of alerts')
  })

  test('that is sent again lasts, and is no repetition until it says something else', async () => {
    await using place = await BookPlace.open({ settings: { repeatTellMs: 0 } })
    const external = await load(place)
    for (let minute = 0; minute < 20; minute++) {
      await place.until(minute * 60_000)
      send(external, [{ labels }], minute * 60_000)
    }
    expect(place.book.byId('a1')).toMatchObject({ count: 1, state: 'firing' })
    send(external, [{ labels, annotations: { summary: 'Load is 18' } }], 1_200_000)
    expect(place.book.byId('a1')).toMatchObject({ count: 2, title: 'Load is 18' })
    expect(await place.changes()).toEqual(['a1 raised', 'a1 repeated'])
  })

  test('ends at its end, or when it was not sent again for a while, or when it is said to be over', async () => {
    await using place = await BookPlace.open()
    const external = await load(place)
    const bodies = ['silent', 'ends', 'sooner', 'over'].map(alertname => ({ labels: { alertname } }))
    const endsAt = (at: number) => new Date(at).toISOString()
    const [silent, ends, sooner, over] = bodies
    send(external, [silent, { ...ends, endsAt: endsAt(90_000) }, sooner, over], 1000)
    send(external, [{ ...sooner, endsAt: endsAt(50_000) }], 2000)
    send(external, [{ ...over, endsAt: endsAt(3000) }], 3000)
    const open = () => Array.from(place.book.open(), ({ rule }) => rule)
    expect(open()).toEqual(['silent', 'ends', 'sooner'])
    await place.until(50_000)
    expect(open()).toEqual(['silent', 'ends'])
    await place.until(90_000)
    expect(open()).toEqual(['silent'])
    await place.until(1000 + RESOLVE_MS - 1)
    expect(open()).toEqual(['silent'])
    await place.until(1000 + RESOLVE_MS)
    expect(open()).toEqual([])
    const told = (await place.alertNotifications()).filter(({ change }) => change === 'resolved')
    expect(told.map(({ comment }) => comment)).toEqual([
      undefined,
      'it was not sent again',
      'it was not sent again',
      'it was not sent again'
    ])
  })

  test('is given time to be sent again after a restart, and what ended leaves nothing behind', async () => {
    await using place = await BookPlace.open()
    send(await load(place), [{ labels }, { labels: { alertname: 'Other' } }], 0)
    place.book.resolve('a2', { at: 1, actor: 'ada', comment: '' })
    await place.ledger.durable()
    await place.clock.advance(10 * RESOLVE_MS)
    await place.restart()
    const external = await load(place)
    await place.until(11 * RESOLVE_MS - 1)
    expect(place.book.byId('a1')).toBeDefined()
    send(external, [{ labels }], 11 * RESOLVE_MS - 1)
    await place.until(12 * RESOLVE_MS - 2)
    expect(place.book.byId('a1')).toBeDefined()
    await place.until(12 * RESOLVE_MS - 1)
    expect(place.book.byId('a1')).toBeUndefined()
    const left: string[] = []
    await place.store.tables.state('external', rows => void left.push(...rows.map(({ key }) => key)))
    expect(left).toEqual([])
  })

  test('beyond the most that may be open is said to be refused', async () => {
    await using place = await BookPlace.open({ settings: { openMax: 1 } })
    const external = await load(place)
    const applied = send(external, [{ labels }, { labels: { alertname: 'Other' } }], 0)
    expect(applied).toMatchObject([
      { ok: true, changed: true },
      { ok: false, code: 'alerts-limit' }
    ])
  })
})
