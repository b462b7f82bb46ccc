// The list of devices as it is read, page by page, and anew.
import { describe, expect, test } from '@jest/globals'
import type { Device } from '../../console/src/api/shapes.ts'
import { DeviceList } from '../../console/src/views/devices/device-list.ts'
import { deviceOf, numberedDevices, pageOf } from './device-samples.ts'

function readAll(list: DeviceList, devices: readonly Device[], limit = 10): void {
  while (list.next !== null) list.put(list.next, pageOf(devices, { cursor: list.next.cursor, limit }))
}

function refreshAt(list: DeviceList, index: number, devices: readonly Device[], limit = 10): void {
  const start = list.startFor(index)
  list.put(start, pageOf(devices, { cursor: start.cursor, limit }))
}

function idsOf(list: DeviceList): string[] {
  return Array.from({ length: list.length }, (_, index) => list.at(index)?.id ?? '')
}

describe('a list of devices', () => {
  test('grows page by page until there is no more', () => {
    const list = new DeviceList()
    readAll(list, numberedDevices(25))
    expect(idsOf(list)).toEqual(numberedDevices(25).map(({ id }) => id))
    expect(list.indexOf('d024')).toBe(24)
    expect(list.indexOf('d025')).toBe(-1)
  })

  test('is read anew from the last page that began before the row', () => {
    const list = new DeviceList()
    readAll(list, numberedDevices(25))
    expect(list.startFor(0)).toEqual({ after: '', cursor: undefined })
    expect(list.startFor(9)).toEqual({ after: '', cursor: undefined })
    expect(list.startFor(10)).toEqual({ after: 'd009', cursor: 'd009' })
    expect(list.startFor(24)).toEqual({ after: 'd019', cursor: 'd019' })
  })

  test('takes in what has changed', () => {
    const list = new DeviceList()
    readAll(list, numberedDevices(25))
    const changed = numberedDevices(25).map(device => ({ ...device, events: 7 }))
    refreshAt(list, 12, changed)
    expect(list.length).toBe(25)
    expect([9, 10, 19, 20].map(index => list.at(index)?.events)).toEqual([0, 7, 7, 0])
  })

  test('takes in a device that is new in the middle, and keeps those behind its page', () => {
    const list = new DeviceList()
    const devices = numberedDevices(25)
    readAll(list, devices)
    const more = [...devices.slice(0, 13), deviceOf('d012-b'), ...devices.slice(13)]
    refreshAt(list, 12, more)
    expect(idsOf(list)).toEqual(more.map(({ id }) => id))
  })

  test('drops devices that are gone, without showing any twice', () => {
    const list = new DeviceList()
    const devices = numberedDevices(25)
    readAll(list, devices)
    const fewer = devices.filter(({ id }) => !['d010', 'd012', 'd014'].includes(id))
    refreshAt(list, 12, fewer)
    expect(idsOf(list)).toEqual(fewer.map(({ id }) => id))
    refreshAt(list, 21, fewer)
    expect(idsOf(list)).toEqual(fewer.map(({ id }) => id))
  })

  test('finds devices that come after what was the end', () => {
    const list = new DeviceList()
    readAll(list, numberedDevices(20))
    expect(list.next).toBeNull()
    refreshAt(list, 15, numberedDevices(23))
    expect(list.next).toEqual({ after: 'd019', cursor: 'd019' })
    readAll(list, numberedDevices(23))
    expect(list.length).toBe(23)
  })

  test('ends where the server’s list ends now', () => {
    const list = new DeviceList()
    readAll(list, numberedDevices(25))
    refreshAt(list, 3, numberedDevices(4))
    expect(list.length).toBe(4)
    expect(list.next).toBeNull()
  })

  test('remembers no more places than it has pages, however often it is read anew', () => {
    const list = new DeviceList()
    const devices = numberedDevices(30)
    readAll(list, devices)
    for (let turn = 0; turn < 20; turn++) {
      const without = devices.filter((_, index) => index !== turn)
      for (const index of [0, 10, 20]) refreshAt(list, index, without)
    }
    const starts = new Set(Array.from({ length: list.length }, (_, index) => list.startFor(index).after))
    expect(starts.size).toBeLessThanOrEqual(5)
  })
})
