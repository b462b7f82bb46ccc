import { describe, expect, test } from '@jest/globals'
import { Watched } from './rules.ts'

describe('absent', () => {
  test('raises once when nothing came for so long, and clears with the next event', () => {
    const watched = new Watched('absent: 15m').event(0, 1).event(10, 1).until(24)
    expect(watched.told).toEqual([])
    expect(watched.until(1000).told).toEqual(['raise@25'])
    expect(watched.event(1001, 1).event(1002, 1).told).toEqual(['raise@25', 'clear@1001'])
    expect(watched.until(2000).told.at(-1)).toBe('raise@1017')
  })

  test('raises nothing again after people resolved it, before there was an event', () => {
    const watched = new Watched('absent: 15m').event(0, 1).until(20)
    watched.open = false
    expect(watched.until(1000).told).toEqual(['raise@15'])
    expect(watched.event(1001, 1).until(2000).told).toEqual(['raise@15', 'raise@1016'])
  })
})

describe('offline', () => {
  test('raises when a device stays offline, and clears when it is back', () => {
    const watched = new Watched('offline: 2m').offline(0)
    expect(watched.until(1.9).told).toEqual([])
    expect(watched.until(50).told).toEqual(['raise@2'])
    expect(watched.online(51).told).toEqual(['raise@2', 'clear@51'])
    expect(watched.state).toBeNull()
  })

  test('says nothing of a device that is back in time', () => {
    expect(new Watched('offline: 2m').offline(0).online(1.9).until(50).told).toEqual([])
  })

  test('counts the first offline where it comes twice, and none after it was raised', () => {
    const watched = new Watched('offline: 2m').offline(0).offline(1).until(3).offline(4)
    expect(watched.told).toEqual(['raise@2'])
  })

  test('needs no wait of 0', () => {
    expect(new Watched('offline: 0s').offline(1).online(2).told).toEqual(['raise@1', 'clear@2'])
  })
})

describe('alarm', () => {
  const mapped = 'of: payload.state, severities: {alarm: critical, 2: major, ok: clear}'

  test('raises with the severity that the value stands for, and clears', () => {
    const watched = new Watched(mapped)
    for (const state of ['ok', 'alarm', 2, 'unknown', 'ok', 'ok']) watched.event(0, { state })
    expect(watched.told).toEqual(['raise:critical@0', 'raise:major@0', 'clear@0'])
    expect(watched.state).toBeNull()
  })

  test('other values mean what otherwise says', () => {
    const watched = new Watched(`${mapped}, otherwise: minor`).event(0, { state: 'odd' })
    expect(watched.told).toEqual(['raise:minor@0'])
    expect(
      new Watched(`${mapped}, otherwise: clear`).event(0, { state: 2 }).event(1, { state: 'x' }).told
    ).toEqual(['raise:major@0', 'clear@1'])
  })

  test('passes by events for which when does not hold', () => {
    const watched = new Watched(`${mapped}, when: has(payload.state)`).event(0, {}).event(1, { state: 2 })
    expect(watched.told).toEqual(['raise:major@1'])
  })
})
