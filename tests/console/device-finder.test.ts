// How the list of devices is asked for.
import { describe, expect, test } from '@jest/globals'
import type { DevicePage } from '../../console/src/api/shapes.ts'
import { DeviceFinder } from '../../console/src/views/devices/device-finder.ts'
import type { PageWish } from '../../console/src/views/devices/device-finder.ts'
import { numberedDevices, pageOf } from './device-samples.ts'

/** A server of so many devices that notes what it is asked. */
function serverOf(count: number) {
  const asked: PageWish[] = []
  const read = async (wish: PageWish): Promise<DevicePage> => {
    asked.push(wish)
    const found = numberedDevices(count).filter(({ id }) => id.includes(wish.search))
    return pageOf(
      found.map(device => ({ ...device, events: asked.length })),
      wish
    )
  }
  return { asked, read }
}

const all = { search: '', status: null }

describe('a finder of devices', () => {
  test('reads only what is near', async () => {
    const server = serverOf(900)
    const finder = new DeviceFinder({ read: server.read })
    await finder.find(all)
    expect([finder.length, finder.complete]).toEqual([100, false])
    await finder.see(0, 30)
    expect(server.asked).toHaveLength(1)
    await finder.see(60, 90)
    expect(server.asked).toHaveLength(2)
    expect(finder.length).toBe(200)
  })

  test('reads anew what is seen, and nothing else', async () => {
    const server = serverOf(250)
    const finder = new DeviceFinder({ read: server.read })
    await finder.find(all)
    await finder.see(210, 240)
    expect([finder.length, finder.complete]).toEqual([250, true])
    await finder.see(90, 120)
    server.asked.length = 0
    await finder.refresh()
    expect(server.asked.map(({ cursor }) => cursor)).toEqual([undefined, 'd099'])
    expect([finder.at(0)?.events, finder.at(150)?.events, finder.at(249)?.events]).toEqual([1, 2, 3])
  })

  test('drops the answer to what was looked for before', async () => {
    const server = serverOf(300)
    const answers: (() => void)[] = []
    const finder = new DeviceFinder({
      read: async wish => {
        const page = await server.read(wish)
        await new Promise<void>(resolve => answers.push(resolve))
        return page
      }
    })
    const first = finder.find({ search: 'd00', status: null })
    const second = finder.find({ search: 'd01', status: null })
    while (answers.length < 2) await Promise.resolve()
    answers[1]?.()
    await second
    answers[0]?.()
    await first
    expect(finder.length).toBe(10)
    expect(finder.at(0)?.id).toBe('d010')
  })

  test('keeps showing what was found until the next answer is there', async () => {
    const server = serverOf(20)
    const finder = new DeviceFinder({ read: server.read })
    await finder.find(all)
    const next = finder.find({ search: 'd01', status: null })
    expect([finder.length, finder.loaded.value]).toEqual([20, false])
    await next
    expect([finder.length, finder.loaded.value]).toEqual([10, true])
  })

  test('tells of a failure, and goes on after it', async () => {
    const server = serverOf(5)
    let broken = true
    const finder = new DeviceFinder({
      read: async wish => {
        if (broken) throw new Error('down')
        return server.read(wish)
      }
    })
    await finder.find(all)
    expect(finder.problem.value).toEqual(new Error('down'))
    broken = false
    await finder.refresh()
    expect([finder.problem.value, finder.length]).toEqual([null, 5])
  })
})
