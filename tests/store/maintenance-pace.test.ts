import { describe, expect, test } from '@jest/globals'
import { MaintenancePace } from '../../store/maintenance-pace.ts'

const INTERVAL_MS = 10_000

describe('the rest between slices of maintenance', () => {
  test('gives a slice a twentieth of the time', () => {
    const pace = new MaintenancePace(INTERVAL_MS)
    expect(pace.pauseMs(2)).toBe(38)
  })

  test('is bounded, however long a slice took', () => {
    const pace = new MaintenancePace(INTERVAL_MS)
    expect(pace.pauseMs(500)).toBe(100)
  })

  test('gets shorter while passes take longer than what lies between them, down to a quarter of the time', () => {
    const pace = new MaintenancePace(INTERVAL_MS)
    const rests = [1, 2, 3, 4].map(() => {
      pace.passTook(INTERVAL_MS + 1)
      return pace.pauseMs(2)
    })
    expect(rests).toEqual([19, 9.5, 6, 6])
  })

  test('gets longer again when passes are short, and stays where they are neither', () => {
    const pace = new MaintenancePace(INTERVAL_MS)
    for (let passes = 0; passes < 3; passes++) pace.passTook(INTERVAL_MS * 2)
    pace.passTook(INTERVAL_MS / 2)
    expect(pace.pauseMs(2)).toBe(6)
    const rests = [1, 2, 3, 4].map(() => {
      pace.passTook(100)
      return pace.pauseMs(2)
    })
    expect(rests).toEqual([12, 24, 38, 38])
  })
})
