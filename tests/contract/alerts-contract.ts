// What every engine must do for alerts: transactions, the state of the gateway's parts, the tables of alerts.
import { describe, expect, test } from '@jest/globals'
import type { AlertDraft, DeliveryDraft } from '../../store/notification.ts'
import type { AlertRow, Batch, Log, LogTransaction, RetainedRow, StateRow, Store } from '../../store/store.ts'
import { appended, event, written } from './store-place.ts'
import type { NewPlace } from './store-place.ts'

const alert: AlertDraft = {
  kind: 'alert',
  device: 'pump-1',
  severity: 'major',
  alert: 'a1',
  rule: 'hot',
  key: 'pump-1',
  state: 'firing',
  change: 'raised',
  title: 'Too hot',
  detail: '',
  count: 1,
  firstAt: 1000,
  cause: 'e-1'
}
const delivery: DeliveryDraft = {
  kind: 'delivery',
  device: 'pump-1',
  severity: 'major',
  alert: 'a1',
  alerts: ['a1', 'a2'],
  delivery: 'n1',
  channel: 'duty',
  attempt: 1,
  outcome: 'sent',
  detail: '',
  cause: ''
}

function row(number: number, changes: Partial<AlertRow> = {}): AlertRow {
  return {
    id: `a${number}`,
    number,
    rule: 'hot',
    key: `pump-${number}`,
    device: `pump-${number}`,
    state: 'firing',
    severity: 'major',
    firstAt: 1000,
    changedAt: 1000 + number,
    body: Buffer.from([number & 255]),
    ...changes
  }
}

function transacted(log: Log, transaction: LogTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    log.transact(transaction, error => (error ? reject(error) : resolve()))
  })
}

export function alertsContract(name: string, newPlace: NewPlace): void {
  describe(`${name}: transactions`, () => {
    test('are one commit, in order with what is appended around them, however long they are', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const { log } = store
      const batches: Batch[] = []
      log.follow(0, batch => void batches.push(batch))
      const drafts = Array.from({ length: 5000 }, (_, index) => event(`${index}`))
      for (let index = 0; index < 4000; index++) log.append(event('before'), null)
      const done = transacted(log, { drafts, changes: [{ put: 'checkpoint', name: 'rules', seq: 7 }] })
      const after = appended(log, event('after'))
      await Promise.all([done, after])
      const holders = batches.filter(({ first, last }) => last > 4000 && first <= 9000)
      expect(holders.every(({ first, last }) => first <= 4001 && last >= 9000)).toBe(true)
      expect(holders).toHaveLength(1)
      expect(await store.tables.checkpoint('rules')).toBe(7)
      const { items } = await log.read(8999, { limit: 2 })
      expect(items.map(item => item.kind === 'event' && Buffer.from(item.payload).toString())).toEqual([
        '4999',
        'after'
      ])
    })

    test('may hold nothing, changes alone or notifications alone', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      await transacted(store.log, { drafts: [], changes: [] })
      await transacted(store.log, { drafts: [], changes: [{ put: 'checkpoint', name: 'a', seq: 1 }] })
      await transacted(store.log, { drafts: [event('1')], changes: [] })
      expect(store.log.bounds().last).toBe(1)
      expect(await store.tables.checkpoint('a')).toBe(1)
    })
  })

  test(`${name}: finds the place of a time in the log`, async () => {
    let now = 1000
    await using place = await newPlace()
    await using store = await place.open({ now: () => now })
    expect(await store.log.seqBefore(5000)).toBe(0)
    for (; now <= 5000; now += 1000) await appended(store.log, event(String(now)))
    const places = [0, 1000, 1001, 3000, 5000, 9000].map(at => store.log.seqBefore(at))
    expect(await Promise.all(places)).toEqual([0, 0, 1, 2, 4, 5])
  })

  describe(`${name}: state`, () => {
    test('keeps the last value of each key of a scope', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const put = (scope: string, key: string, byte: number) =>
        ({ put: 'state', row: { scope, key, value: Uint8Array.of(byte) } }) as const
      await written(store.log, [put('rule/a', 'y', 1), put('rule/a', 'x', 2), put('rule/b', 'x', 3)])
      await written(store.log, [put('rule/a', 'y', 4), { delete: 'state', scope: 'rule/b', key: 'x' }])
      expect(await allState(store, 'rule/a')).toEqual([
        ['x', 2],
        ['y', 4]
      ])
      expect(await allState(store, 'rule/b')).toEqual([])
    })
  })

  describe(`${name}: alerts`, () => {
    test('are found by what they are, newest first, a page at a time', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const rows = [
        row(1),
        row(2, { state: 'resolved' }),
        row(3, { state: 'acknowledged', severity: 'critical' }),
        row(4, { rule: 'gone', severity: 'warning' })
      ]
      await written(
        store.log,
        rows.map(one => ({ put: 'alert', row: one }))
      )
      const found = async (query: object) =>
        (await store.tables.alerts({ limit: 10, ...query })).map(({ number }) => number)
      expect(await found({})).toEqual([4, 3, 2, 1])
      expect(await found({ limit: 2 })).toEqual([4, 3])
      expect(await found({ before: 3 })).toEqual([2, 1])
      expect(await found({ states: ['firing', 'acknowledged'] })).toEqual([4, 3, 1])
      expect(await found({ severityMin: 'major', rules: ['hot'] })).toEqual([3, 2, 1])
      expect(await found({ devices: ['pump-2', 'pump-4'], keys: ['pump-4'] })).toEqual([4])
      expect(plain(await store.tables.alert('a3'))).toEqual(plain(rows[2] ?? null))
      expect(await store.tables.alert('a9')).toBeNull()
      expect(await store.tables.lastAlert()).toBe(4)
    })

    test('that are open are all read when a store is opened again', async () => {
      await using place = await newPlace()
      const store = await place.open()
      const rows = Array.from({ length: 300 }, (_, index) =>
        row(index + 1, index % 3 === 0 ? { state: 'resolved' } : {})
      )
      await written(
        store.log,
        rows.map(one => ({ put: 'alert', row: one }))
      )
      await written(store.log, [{ put: 'alert', row: row(2, { state: 'resolved' }) }])
      await store.close()
      await using again = await place.open()
      const open: number[] = []
      await again.tables.openAlerts(page => open.push(...page.map(({ number }) => number)))
      expect(open).toEqual(
        rows.filter(({ state, number }) => state === 'firing' && number !== 2).map(({ number }) => number)
      )
    })

    test('know their notifications, and their deliveries’, until they are deleted', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      await transacted(store.log, {
        drafts: [event('1'), alert, { ...alert, alert: 'a2' }, delivery],
        changes: [{ put: 'alert', row: row(1) }]
      })
      const { alerts: _, ...single } = delivery
      await appended(store.log, single)
      expect(await store.tables.alertEntries('a1', 10)).toEqual([2, 4, 5])
      expect(await store.tables.alertEntries('a1', 2)).toEqual([4, 5])
      expect(await store.tables.alertEntries('a2', 10)).toEqual([3, 4])
      await written(store.log, [{ delete: 'alert', id: 'a1' }])
      expect(await store.tables.alertEntries('a1', 10)).toEqual([])
      expect(await store.tables.alert('a1')).toBeNull()
    })

    test('that are open have a retained message, of the same commit as their last notification', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      const retained = async () => {
        const rows: RetainedRow[] = []
        await store.tables.retained(page => void rows.push(...page))
        return rows.map(({ topic, seq, payload }) => {
          const { alert: id, change, cursor } = JSON.parse(Buffer.from(payload).toString()) as AlertJson
          return [topic, seq, id, change, cursor]
        })
      }
      const other = { alert: 'a2', key: 'pump/2' }
      const drafts = [alert, { ...alert, change: 'repeated' as const }, { ...alert, ...other }, event('1')]
      await transacted(store.log, { drafts, changes: [] })
      expect(await retained()).toEqual([
        ['$alerts/hot/pump%2F2', 3, 'a2', 'raised', undefined],
        ['$alerts/hot/pump-1', 2, 'a1', 'repeated', undefined]
      ])
      await transacted(store.log, {
        drafts: [{ ...alert, state: 'resolved', change: 'resolved' }],
        changes: []
      })
      expect(await retained()).toEqual([['$alerts/hot/pump%2F2', 3, 'a2', 'raised', undefined]])
    })

    test('that ended long ago are found, oldest first', async () => {
      await using place = await newPlace()
      await using store = await place.open()
      await written(store.log, [
        { put: 'alert', row: row(3, { state: 'resolved' }) },
        { put: 'alert', row: row(1, { state: 'resolved' }) },
        { put: 'alert', row: row(2) }
      ])
      expect(await store.tables.alertsResolvedBefore(2000, 10)).toEqual(['a1', 'a3'])
      expect(await store.tables.alertsResolvedBefore(1003, 10)).toEqual(['a1'])
      expect(await store.tables.alertsResolvedBefore(2000, 1)).toEqual(['a1'])
    })
  })
}

interface AlertJson {
  alert: string
  change: string
  cursor?: string
}

async function allState(store: Store, scope: string): Promise<[string, number | undefined][]> {
  const all: StateRow[] = []
  await store.tables.state(scope, rows => void all.push(...rows))
  return all.map(({ key, value }) => [key, value[0]])
}

function plain(alertRow: AlertRow | null): object | null {
  return alertRow && { ...alertRow, body: [...alertRow.body] }
}
