import { expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import { ConnectionLimits } from '../../broker/limits.ts'

function limitsWith(given: Partial<ConstructorParameters<typeof ConnectionLimits>[0]>) {
  const registry = new Registry()
  const options = {
    connectionsMax: 100,
    connectionsPerAddressMax: 0,
    connectsPerSecondMax: 0,
    openBytesMax: 0,
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
