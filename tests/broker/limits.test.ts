import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { ConnectCounts, type ConnectCountsOptions } from '../../broker/connect-counts.ts'
import { ConnectionLimits } from '../../broker/limits.ts'

const countsOf = (given: Partial<ConnectCountsOptions>): ConnectCountsOptions => ({
  connectsPerDeviceMax: 1,
  connectsPerDeviceWindowMs: 60_000,
  connectsPerDevicePauseMs: 300_000,
  connectsPerDeviceKnownMax: 1000,
  ...given
})

function limitsWith(given: Partial<ConstructorParameters<typeof ConnectionLimits>[0]>) {
  const registry = new Registry()
  const options = {
    connectionsMax: 100,
    connectionsPerAddressMax: 0,
    connectsPerSecondMax: 0,
    ...countsOf({ connectsPerDeviceMax: 0 }),
    openBytesMax: 0,
    logger: pino({ level: 'silent' }),
    registry,
    ...given
  }
  return { limits: new ConnectionLimits(options), registry }
}

test('refuses connections beyond the limit, over all protocols, until one is released', () => {
  const { limits } = limitsWith({ connectionsMax: 2 })
  const first = limits.admit('a', 'mqtt')
  limits.admit('b', 'tcp')
  expect(limits.admit('c', 'tcp')).toMatchObject({ ok: false, code: 'too-many-connections' })
  if (first.ok) first.release()
  if (first.ok) first.release() // a second time counts for nothing
  expect(limits.connections).toBe(1)
  expect(limits.admit('c', 'tcp').ok).toBe(true)
  expect(limits.admit('c', 'tcp').ok).toBe(false)
})

test('refuses connections of one address beyond its limit', () => {
  const { limits } = limitsWith({ connectionsPerAddressMax: 1 })
  const first = limits.admit('a', 'tcp')
  expect(limits.admit('a', 'mqtt')).toMatchObject({ code: 'too-many-from-address' })
  expect(limits.admit('b', 'mqtt').ok).toBe(true)
  if (first.ok) first.release()
  expect(limits.admit('a', 'mqtt').ok).toBe(true)
})

test('refuses connects beyond the rate until time has passed', () => {
  let now = 0
  const { limits } = limitsWith({ connectsPerSecondMax: 2, monotonicMs: () => now })
  const outcomes = () => [1, 2, 3].map(() => limits.admit('a', 'tcp').ok)
  expect(outcomes()).toEqual([true, true, false])
  now += 500
  expect(outcomes()).toEqual([true, false, false])
  now += 60_000
  expect(outcomes()).toEqual([true, true, false])
})

test('refuses a device that connects too often, warns of it once, and lets it in again after the pause', async () => {
  let now = 0
  const lines: Record<string, unknown>[] = []
  const logger = pino({}, { write: line => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const { limits, registry } = limitsWith({ connectsPerDeviceMax: 3, monotonicMs: () => now, logger })
  const outcomes = () => [1, 2, 3, 4, 5].map(() => limits.admitDevice('pump')?.code ?? 'admitted')
  expect(outcomes()).toEqual([
    'admitted',
    'admitted',
    'admitted',
    'connecting-too-often',
    'connecting-too-often'
  ])
  expect(limits.admitDevice('other')).toBeNull()
  now += 299_999
  expect(limits.admitDevice('pump')?.code).toBe('connecting-too-often')
  now += 1
  expect(limits.admitDevice('pump')).toBeNull()
  expect(lines.map(({ level, device }) => [level, device])).toEqual([[40, 'pump']])
  const text = await registry.metrics()
  expect(text).toContain('tocsin_device_connections_refused_total{code="connecting-too-often"} 3')
})

test('connects of a device are counted within the window only', () => {
  let now = 0
  const { limits } = limitsWith({ connectsPerDeviceMax: 2, monotonicMs: () => now })
  const outcomes: boolean[] = []
  for (let minute = 0; minute < 5; minute++) {
    outcomes.push(limits.admitDevice('pump') === null, limits.admitDevice('pump') === null)
    now += 60_000
  }
  expect(outcomes).toEqual(Array.from({ length: 10 }, () => true))
})

test('a limit of 0 counts nobody', () => {
  const counts = new ConnectCounts(countsOf({ connectsPerDeviceMax: 0 }))
  const verdicts = Array.from({ length: 100 }, () => counts.connect('pump', 0))
  expect(new Set(verdicts)).toEqual(new Set(['admitted']))
  expect(counts.size).toBe(0)
})

test('the memory for devices that connect is bounded; what is over is forgotten', () => {
  const counts = new ConnectCounts(countsOf({ connectsPerDeviceMax: 1, connectsPerDeviceKnownMax: 10 }))
  for (let device = 0; device < 1000; device++) {
    counts.connect(`device-${device}`, device)
    counts.connect(`device-${device}`, device) // refused
    counts.connect(`counted-${device}`, device)
  }
  expect(counts.size).toBe(20)
  expect(counts.connect('device-999', 1000)).toBe('still-refused')
  expect(counts.connect('device-1', 1000)).toBe('admitted') // forgotten: room was needed for others
  counts.connect('new', 10_000_000)
  expect(counts.size).toBe(1)
})

test('knows when open bytes are over the limit', () => {
  const { limits } = limitsWith({ openBytesMax: 10 })
  limits.openBytes(10)
  expect(limits.overOpenBytes()).toBe(false)
  limits.openBytes(1)
  expect(limits.overOpenBytes()).toBe(true)
  limits.openBytes(-11)
  expect(limits.overOpenBytes()).toBe(false)
})

test('shows connections by protocol, refusals by code and open bytes as metrics', async () => {
  const { limits, registry } = limitsWith({ connectionsMax: 1 })
  limits.admit('a', 'tcp')
  limits.admit('a', 'tcp')
  limits.openBytes(7)
  const text = await registry.metrics()
  expect(text).toContain('tocsin_device_connections{protocol="tcp"} 1')
  expect(text).toContain('tocsin_device_connections_refused_total{code="too-many-connections"} 1')
  expect(text).toContain('tocsin_device_open_bytes 7')
})
