// What keeps alerts quiet: other alerts, and silences.
import { describe, expect, test } from '@jest/globals'
import { readYaml } from '../../../gateway/alerting/yaml-reader.ts'
import { parseInhibitions } from '../../../gateway/alerts/inhibitions.ts'
import type { Inhibition } from '../../../gateway/alerts/inhibitions.ts'
import { Muting } from '../../../gateway/alerts/muting.ts'
import { Silences } from '../../../gateway/alerts/silences.ts'
import { raiseOf } from './alerts.ts'
import { BookPlace } from './book-place.ts'

function parsed(text: string) {
  const { root, problems } = readYaml(text)
  return { inhibitions: root === null ? [] : parseInhibitions(root), problems }
}

async function start(place: BookPlace, inhibitions: () => readonly Inhibition[]) {
  const { store, ledger, agenda, book } = place
  const settings = { silencesMax: 10, keepResolvedMs: 0 }
  const silences = await Silences.load({ tables: store.tables, ledger, agenda, settings })
  const muting = new Muting({ silences, inhibitions, book })
  const raise = (rule: string, key: string, labels: Record<string, string> = {}) => {
    const alert = book.raise(raiseOf({ rule, key, device: key, labels, title: `${key} is offline` }))
    if (alert === null) throw new Error('not opened')
    return alert
  }
  return { silences, muting, raise }
}

const offline: Inhibition = {
  source: { rules: ['gateway-offline'] },
  target: { rules: ['*-offline'] },
  equal: ['site']
}

const onlyOffline = [offline]

describe('inhibitions', () => {
  test('are read with what must be equal, and every mistake is named', () => {
    expect(parsed('- {source: {rules: [gone]}, target: {severityMin: info}, equal: [site, device]}')).toEqual(
      {
        inhibitions: [
          { source: { rules: ['gone'] }, target: { severityMin: 'info' }, equal: ['site', 'device'] }
        ],
        problems: []
      }
    )
    expect(parsed('- {source: {}, target: {}}').inhibitions[0]?.equal).toEqual([])
    const { inhibitions, problems } = parsed('- {source: {rule: a}, equals: [x]}\n- 7')
    expect(inhibitions).toEqual([])
    expect(problems.map(({ message }) => message)).toEqual([
      '[0].equals: is unknown; did you mean equal?',
      '[0]: needs target',
      '[0].source.rule: is unknown; did you mean rules?',
      expect.stringContaining('[1]: must be a mapping')
    ])
  })

  test('keep targets quiet while a source with equal values is open', async () => {
    await using place = await BookPlace.open()
    const { muting, raise } = await start(place, () => onlyOffline)
    const device = raise('device-offline', 'pump-1', { site: 'hall' })
    const elsewhere = raise('device-offline', 'pump-2', { site: 'yard' })
    const other = raise('too-warm', 'pump-1', { site: 'hall' })
    expect(muting.of(device, 2000)).toBeNull()
    const gateway = raise('gateway-offline', 'gw', { site: 'hall' })
    expect(muting.of(device, 2000)).toEqual({
      by: 'inhibition',
      id: gateway.id,
      reason: `inhibited by ${gateway.id}: gw is offline`
    })
    expect([elsewhere, other].map(alert => muting.of(alert, 2000))).toEqual([null, null])
    place.book.acknowledge(gateway.id, { at: 2000, actor: 'ada', comment: '' })
    expect(muting.of(device, 2000)).not.toBeNull()
    place.book.resolve(gateway.id, { at: 3000, actor: 'ada', comment: '' })
    expect(muting.of(device, 3000)).toBeNull()
  })

  test('take a missing label as an empty one', async () => {
    await using place = await BookPlace.open()
    const { muting, raise } = await start(place, () => onlyOffline)
    raise('gateway-offline', 'gw')
    expect(muting.of(raise('device-offline', 'one', { site: '' }), 2000)).not.toBeNull()
    expect(muting.of(raise('device-offline', 'other', { site: 'x' }), 2000)).toBeNull()
  })

  test('never let alerts that match both sides keep themselves or each other quiet', async () => {
    await using place = await BookPlace.open()
    const { muting, raise } = await start(place, () => onlyOffline)
    const gateways = ['gw-1', 'gw-2'].map(key => raise('gateway-offline', key, { site: 'hall' }))
    expect(gateways.map(alert => muting.of(alert, 2000))).toEqual([null, null])
    expect(muting.of(raise('device-offline', 'pump', { site: 'hall' }), 2000)?.id).toBe('a1')
  })

  test('follow the severity of their sources, say when one ceases, and can be exchanged', async () => {
    await using place = await BookPlace.open()
    let inhibitions: readonly Inhibition[] = [
      { source: { severityMin: 'critical' }, target: { rules: ['*-offline'] }, equal: ['device'] }
    ]
    const { muting, raise } = await start(place, () => inhibitions)
    const told: number[] = []
    muting.onChange(at => told.push(at))
    const target = raise('device-offline', 'pump')
    const source = (severity: 'critical' | 'minor', at: number) =>
      place.book.raise(raiseOf({ rule: 'burning', key: 'pump', device: 'pump', severity, at }))
    source('minor', 1000)
    expect(muting.of(target, 2000)).toBeNull()
    source('critical', 2000)
    expect(muting.of(target, 2000)?.id).toBe('a2')
    expect(told).toEqual([])
    source('minor', 3000)
    expect(muting.of(target, 3000)).toBeNull()
    expect(told).toEqual([3000])
    inhibitions = [{ source: { rules: ['burning'] }, target: {}, equal: [] }]
    expect(muting.of(target, 4000)?.id).toBe('a2')
    inhibitions = []
    expect(muting.of(target, 4000)).toBeNull()
  })

  test('find their sources again after a restart', async () => {
    await using place = await BookPlace.open()
    const inhibitions = [offline]
    const { raise } = await start(place, () => inhibitions)
    raise('gateway-offline', 'gw', { site: 'hall' })
    raise('device-offline', 'pump', { site: 'hall' })
    await place.restart()
    const { muting } = await start(place, () => inhibitions)
    const target = place.book.find('device-offline', 'pump')
    expect(target && muting.of(target, 5000)?.id).toBe('a1')
  })

  test('look at no more than what is equal, however many alerts are open', async () => {
    await using place = await BookPlace.open({ settings: { openMax: 100_000 } })
    const inhibitions = [{ ...offline, equal: ['site'] }]
    const { muting, raise } = await start(place, () => inhibitions)
    const alerts = Array.from({ length: 20_000 }, (_, n) =>
      raise(n % 2 ? 'gateway-offline' : 'device-offline', `d${n}`, { site: `s${n >> 1}` })
    )
    const before = process.cpuUsage()
    expect(alerts.filter(alert => muting.of(alert, 2000) !== null)).toHaveLength(10_000)
    const { user } = process.cpuUsage(before)
    expect(user / 1000).toBeLessThan(2000) // 100 µs each at most where all against all takes minutes
  })
})

describe('a silence', () => {
  test('keeps what it matches quiet, with its reason', async () => {
    await using place = await BookPlace.open()
    const { muting, silences, raise } = await start(place, () => [])
    const told: number[] = []
    muting.onChange(at => told.push(at))
    const alert = raise('device-offline', 'pump')
    const match = { devices: ['pump'] }
    silences.add({ match, from: 1000, until: 9000, comment: 'moving house', author: 'ada' }, 500)
    expect(muting.of(alert, 500)).toBeNull()
    expect(muting.of(alert, 1000)).toEqual({
      by: 'silence',
      id: 's1',
      reason: 'silence s1 of ada until 1970-01-01T00:00:09.000Z: moving house'
    })
    await place.until(9000)
    expect(muting.of(alert, 9000)).toBeNull()
    expect(told).toEqual([500, 1000, 9000])
  })
})
