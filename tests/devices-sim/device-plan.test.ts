import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { DevicePlan, type Step } from '../../devices-sim/device-plan.ts'
import { planFleet } from '../../devices-sim/fleet-plan.ts'
import { jsonPayload, packedPayload } from '../../devices-sim/payload.ts'
import { unpack } from 'msgpackr'
import type { Profile } from '../../devices-sim/profile.ts'
import { profileOf, quickProfile } from './profiles.ts'

const fleets = new URL('../../../config/fleets/', import.meta.url)
const building = profileOf(readFileSync(new URL('building.yaml', fleets), 'utf8'))

function stepsOf(profile: Profile, { seed = '1', index = 0, count = 500, total = 60 } = {}): Step[] {
  const part = planFleet(profile, { count: total, protocol: 'both', credentials: [] })[index]
  if (part === undefined) throw new Error('no such device')
  const plan = new DevicePlan(part, { seed, day: profile.day, faults: profile.faults, intervalFactor: 1 })
  return Array.from({ length: count }, () => plan.next())
}

function eventsOf(profile: Profile, options: Parameters<typeof stepsOf>[1] = {}) {
  return stepsOf(profile, options).flatMap(step =>
    step.type === 'event' ? [{ ...step.event, atMs: step.atMs }] : []
  )
}

describe('the plan of a device', () => {
  test('is the same for the same seed, to the last value, time and fault', () => {
    for (const index of [0, 7, 59]) {
      const once = stepsOf(building, { index, count: 5000 })
      expect(stepsOf(building, { index, count: 5000 })).toEqual(once)
    }
  })

  test('does not depend on how large the fleet is', () => {
    expect(stepsOf(building, { index: 3, total: 4 })).toEqual(stepsOf(building, { index: 3, total: 4000 }))
  })

  test('is another for another seed and for another device of the same kind', () => {
    const profile = quickProfile()
    const values = (options: object) => eventsOf(profile, options).map(event => event.values['celsius'])
    expect(values({ seed: '2' })).not.toEqual(values({ seed: '1' }))
    expect(values({ index: 1 })).not.toEqual(values({ index: 0 }))
  })

  test('goes forward in time, numbers its events without holes and keeps to its interval', () => {
    const steps = stepsOf(building, { count: 5000 })
    const events = steps.filter(step => step.type === 'event')
    expect(steps.every((step, index) => step.atMs >= (steps[index - 1]?.atMs ?? 0))).toBe(true)
    expect(events.map(step => step.event.n)).toEqual(events.map((_, index) => index + 1))
    const calm = eventsOf(quickProfile('{}', 1000), { count: 1001 })
    const gaps = calm.slice(1).map((event, index) => event.atMs - (calm[index]?.atMs ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(800)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1200)
    expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeCloseTo(1000, -2)
  })
})

describe('what devices measure', () => {
  const parts = planFleet(building, { count: 60, protocol: 'both', credentials: [] })
  const valuesOf = (kind: string, field: string) =>
    parts
      .filter(part => part.kind.kind === kind)
      .flatMap(part => eventsOf(building, { index: part.index, count: 4000 }))
      .map(event => event.values[field])

  test('stays within what is plausible, and crosses thresholds now and then', () => {
    const freezers = valuesOf('freezer', 'celsius').map(Number)
    const warm = freezers.filter(celsius => celsius > -12).length / freezers.length
    expect(freezers.every(celsius => celsius > -24 && celsius < -2)).toBe(true)
    expect(warm).toBeGreaterThan(0.005)
    expect(warm).toBeLessThan(0.2)
    const humidity = valuesOf('weather', 'humidity').map(Number)
    expect(humidity.every(percent => percent >= 5 && percent <= 100)).toBe(true)
    const pumps = valuesOf('pump', 'mmPerS').map(Number)
    expect(pumps.every(mmPerS => mmPerS >= 0 && mmPerS < 15)).toBe(true)
    const doors = valuesOf('door', 'state')
    const open = doors.filter(state => state === 'open').length / doors.length
    expect(new Set(doors)).toEqual(new Set(['open', 'closed']))
    expect(open).toBeGreaterThan(0.05)
    expect(open).toBeLessThan(0.5)
  })

  test('follows the day', () => {
    const meter = parts.find(part => part.kind.kind === 'meter')
    const events = eventsOf(building, { index: meter?.index ?? -1, count: 17_000 }) // about two days
    const mean = (from: number, to: number) => {
      const inHours = events.filter(event => {
        const hour = (8 + event.atMs / 3_600_000) % 24
        return hour >= from && hour < to
      })
      return inHours.reduce((sum, event) => sum + Number(event.values['kW']), 0) / inHours.length
    }
    expect(mean(12, 14)).toBeGreaterThan(60)
    expect(mean(0, 2)).toBeLessThan(25)
  })

  test('counts upwards only', () => {
    const meter = parts.find(part => part.kind.kind === 'meter')
    const counts = eventsOf(building, { index: meter?.index ?? -1, count: 2000 }).map(
      event => event.values['kWh']
    )
    expect(counts.every((count, index) => index === 0 || Number(count) >= Number(counts[index - 1]))).toBe(
      true
    )
    expect(Number(counts.at(-1))).toBeGreaterThan(180_000)
  })
})

describe('faults', () => {
  test('a silent device says nothing for the time', () => {
    const events = eventsOf(quickProfile('{ silent: { at: [1s], lasts: 5s } }'), { count: 200 })
    const gaps = events.slice(1).map((event, index) => event.atMs - (events[index]?.atMs ?? 0))
    expect(gaps.filter(gap => gap > 1000)).toHaveLength(1)
    expect(Math.max(...gaps)).toBeGreaterThan(5000)
  })

  test('a stuck sensor repeats its values under new numbers', () => {
    const events = eventsOf(quickProfile('{ stuck: { at: [1s], lasts: 2s } }'), { count: 400 })
    const during = events.filter(event => event.atMs > 1050 && event.atMs < 2950)
    const after = events.filter(event => event.atMs > 3100)
    expect(during.length).toBeGreaterThan(50)
    expect(new Set(during.map(event => event.values['celsius'])).size).toBe(1)
    expect(new Set(during.map(event => event.values['n'])).size).toBe(during.length)
    expect(new Set(after.map(event => event.values['celsius'])).size).toBeGreaterThan(10)
  })

  test('a malformed payload is no JSON, yet its number is readable', () => {
    const events = eventsOf(quickProfile('{ malformed: { probability: 0.2 } }'))
    const malformed = events.filter(event => event.malformed)
    expect(malformed.length).toBeGreaterThan(50)
    expect(malformed.length).toBeLessThan(150)
    for (const event of events) {
      if (event.malformed) expect(() => JSON.parse(jsonPayload(event)) as unknown).toThrow(SyntaxError)
      else expect(JSON.parse(jsonPayload(event))).toEqual(event.values)
      expect(jsonPayload(event)).toMatch(new RegExp(`^\\{"n":${event.n}\\b`))
      expect(unpack(packedPayload(event))).toEqual(event.malformed ? jsonPayload(event) : event.values)
    }
  })

  test('power cuts, goodbyes and repeats come when they are scheduled', () => {
    const faults =
      '{ powerCut: { at: [1s], lasts: 3s }, flapping: { at: [2s], times: 3, down: 100ms, up: 200ms }, repeat: { at: [500ms] } }'
    const steps = stepsOf(quickProfile(faults), { count: 400 })
    const cuts = steps.filter(step => step.type === 'power-cut')
    const goodbyes = steps.filter(step => step.type === 'goodbye')
    expect(cuts.map(cut => cut.downMs)).toEqual([3000])
    expect(cuts[0]?.atMs).toBeGreaterThanOrEqual(1000)
    expect(goodbyes.map(goodbye => goodbye.downMs)).toEqual([100, 100, 100])
    expect((goodbyes[1]?.atMs ?? 0) - (goodbyes[0]?.atMs ?? 0)).toBeCloseTo(300)
    expect(steps.filter(step => step.type === 'event' && step.event.repeat)).toHaveLength(1)
  })

  test('strike only the share of devices that has them', () => {
    const profile = quickProfile('{ powerCut: { at: [1s], devices: 0.25 } }')
    const struck = Array.from({ length: 400 }, (_, index) => index).filter(index =>
      stepsOf(profile, { index, count: 80, total: 400 }).some(step => step.type === 'power-cut')
    )
    expect(struck.length).toBeGreaterThan(60)
    expect(struck.length).toBeLessThan(140)
  })
})

describe('the plan of a fleet', () => {
  test('shares out kinds, protocols and versions as the profile says, also among few', () => {
    for (const count of [44, 60, 15_000]) {
      const parts = planFleet(building, { count, protocol: 'both', credentials: [] })
      const part = (condition: (part: (typeof parts)[number]) => boolean) =>
        parts.filter(condition).length / count
      expect(part(each => each.kind.kind === 'freezer')).toBeCloseTo(4 / 11, 1)
      expect(part(each => each.protocol === 'mqtt')).toBeCloseTo(0.5, 1)
      expect(part(each => each.protocol === 'mqtt' && each.mqttVersion === 5)).toBeCloseTo(0.25, 1)
      expect(new Set(parts.map(each => each.id)).size).toBe(count)
    }
  })

  test('every kind speaks both protocols', () => {
    const parts = planFleet(building, { count: 60, protocol: 'both', credentials: [] })
    for (const { kind } of building.kinds) {
      const spoken = parts.filter(part => part.kind.kind === kind).map(part => part.protocol)
      expect(new Set(spoken)).toEqual(new Set(['mqtt', 'tcp']))
    }
  })

  test('fills in topics and plays registered devices under their own ids', () => {
    const credentials = [{ id: 'cold-1', token: 'secret' }]
    const [part] = planFleet(building, { count: 1, protocol: 'tcp', credentials })
    expect(part).toMatchObject({ id: 'cold-1', token: 'secret', protocol: 'tcp' })
    expect(part?.topic).toBe('site/north/freezer/cold-1/temperature')
  })
})
