// The live feed in a real browser: filters, pausing, losing the connection, gaps, and many notifications.
import { describe, expect, jest, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { eventually } from '../../helpers/eventually.ts'
import { chromiumIsHere, ConsoleWindow, openBrowser } from './browser.ts'
import { ConsoleServer } from './console-server.ts'
import { CuttableProxy } from './cuttable-proxy.ts'

/** High enough that some dozens of rows are all in the document. */
const high = { viewport: { width: 1280, height: 3600 } }

// A browser on a busy machine takes its time.
jest.setTimeout(300_000)

const inBrowser = chromiumIsHere() ? describe : describe.skip

/** The numbers in the payloads of the rows that are in the document, from the top. */
async function numbersIn(page: Page): Promise<number[]> {
  const rows = await page.locator('.virtual-list [role=option] .feed-text').allTextContents()
  return rows.flatMap(text => (/^\{"n":(\d+)\}$/.exec(text) ? [Number(/\d+/.exec(text)?.[0])] : []))
}

const downFrom = (last: number, first: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => last - index)

inBrowser('the live feed', () => {
  test('shows what was and what comes, newest first, by the filters in its address', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser, high)
    const { page } = window
    await server.post(...server.numbered(1, 3), ...server.numbered(101, 103, 'other'))
    await window.signIn(await server.link())
    await page.getByRole('link', { name: 'Live feed' }).click()
    await eventually(async () => (await numbersIn(page)).length === 6)
    await page.getByLabel('Topics').fill('count/counter')
    await eventually(async () => (await numbersIn(page)).length === 3)
    expect(new URL(page.url()).search).toBe('?topics=count%2Fcounter')
    await server.post(...server.numbered(104, 104, 'other'), ...server.numbered(4, 5))
    await eventually(async () => (await numbersIn(page)).length === 5)
    expect(await numbersIn(page)).toEqual([5, 4, 3, 2, 1])
    // The address alone brings all of it back, the text too.
    await page.goto(`${server.url}/feed?topics=count/%23&text=10`)
    await eventually(async () => (await numbersIn(page)).length === 4)
    expect(await numbersIn(page)).toEqual([104, 103, 102, 101])
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await eventually(async () => (await numbersIn(page)).length === 9)
    expect(await window.violations()).toEqual([])
    expect(window.troubles).toEqual([])
  })

  test('takes an id with a space, and stays clear once it is cleared', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser, high)
    const { page } = window
    await server.post(...server.numbered(1, 2, 'pump 1'), ...server.numbered(3, 4, 'pump'))
    await window.signIn(await server.link())
    await page.goto(`${server.url}/feed`)
    await page.getByLabel('Devices').fill('pump 1')
    await eventually(async () => (await numbersIn(page)).length === 2)
    expect(await numbersIn(page)).toEqual([2, 1])
    await page.clock.install()
    await page.getByLabel('Text').fill('nowhere')
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.clock.runFor(2000)
    expect(new URL(page.url()).search).toBe('')
    expect(await page.getByLabel('Text').inputValue()).toBe('')
  })

  test('says what is wrong with a filter', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await window.signIn(await server.link())
    await page.getByRole('link', { name: 'Live feed' }).click()
    await page.getByLabel('Topics').fill('a/#/b')
    await page.getByText('"a/#/b" is not an MQTT topic filter').first().waitFor()
  })

  test('a row opens to its payload, and an alert to its causes', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser, high)
    const { page } = window
    await server.post({
      device: 'freezer-1',
      topic: 'cold/freezer-1/temperature',
      payload: { celsius: -5, deep: { er: [1] } }
    })
    await window.signIn(await server.link())
    await page.getByRole('link', { name: 'Live feed' }).click()
    await page.getByRole('option', { name: /freezer-1 Event cold/ }).click()
    const panel = page.getByRole('region', { name: 'Notification' })
    expect(await panel.locator('pre').textContent()).toContain('"celsius": -5')
    await page.keyboard.press('Escape')
    await page.getByRole('option', { name: /a1 raised/ }).click()
    await panel.getByText('Causes').waitFor()
    await panel.locator('.causes summary').click()
    expect(await panel.locator('pre').textContent()).toContain('"er"')
    expect(await window.violations()).toEqual([])
    expect(window.troubles).toEqual([])
  })

  test('pauses and goes on from there, with everything that came meanwhile', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser, high)
    const { page } = window
    await server.post(...server.numbered(1, 5))
    await window.signIn(await server.link())
    await page.goto(`${server.url}/feed?devices=counter`)
    await eventually(async () => (await numbersIn(page)).length === 5)
    await page.keyboard.press('p')
    await page.getByRole('button', { name: 'Resume' }).waitFor()
    await server.post(...server.numbered(6, 40))
    await page.getByText('Paused · 35 new').waitFor()
    expect(await numbersIn(page)).toEqual(downFrom(5, 1))
    await page.keyboard.press('p')
    await eventually(async () => (await numbersIn(page)).length === 40)
    expect(await numbersIn(page)).toEqual(downFrom(40, 1))
    await server.post(...server.numbered(41, 41))
    await eventually(async () => (await numbersIn(page))[0] === 41)
    expect(await numbersIn(page)).toEqual(downFrom(41, 1))
    expect(window.troubles).toEqual([])
  })

  test('shows that the connection is lost, and resumes without a hole or a repeat', async () => {
    await using server = await ConsoleServer.start()
    await using proxy = await CuttableProxy.to(server.serving.http.port)
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser, high)
    const { page } = window
    await server.post(...server.numbered(1, 5))
    await window.signIn((await server.link()).replace(server.url, proxy.url))
    await page.goto(`${proxy.url}/feed?devices=counter`)
    await eventually(async () => (await numbersIn(page)).length === 5)
    expect(window.troubles).toEqual([])
    proxy.cut()
    await page.getByText(/Connection lost/).waitFor()
    await server.post(...server.numbered(6, 30))
    proxy.restore()
    await eventually(async () => (await numbersIn(page)).length === 30)
    await page.getByText('Live', { exact: true }).waitFor()
    await server.post(...server.numbered(31, 32))
    await eventually(async () => (await numbersIn(page)).length === 32)
    expect(await numbersIn(page)).toEqual(downFrom(32, 1))
  })

  test('shows a gap where retention was faster', async () => {
    await using server = await ConsoleServer.start([
      '--store.retentionBytesMax',
      '20KB',
      '--store.maintenanceMs',
      '100ms'
    ])
    await using proxy = await CuttableProxy.to(server.serving.http.port)
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser, high)
    const { page } = window
    await server.post(...server.numbered(1, 2))
    await window.signIn((await server.link()).replace(server.url, proxy.url))
    await page.goto(`${proxy.url}/feed?devices=counter`)
    await eventually(async () => (await numbersIn(page)).length === 2)
    proxy.cut()
    await page.getByText(/Connection lost/).waitFor()
    const large = { device: 'large', topic: 'large', payload: 'x'.repeat(5000) }
    await eventually(async () => {
      await server.post(large)
      const { items } = await server.ask<{ items: unknown[] }>(
        'GET',
        '/v1/notifications?after=earliest&devices=counter'
      )
      return items.length === 0
    })
    await server.post(...server.numbered(3, 4))
    proxy.restore()
    const gap = page.getByRole('option', { name: /Something is missing/ })
    await gap.waitFor()
    const rows = await eventually(async () => {
      const texts = await page.locator('.virtual-list [role=option]').allTextContents()
      return texts.length >= 5 && texts // what comes behind the gap is a message of its own
    })
    expect(rows.map(row => /n":(\d)|missing/.exec(row)?.[1] ?? 'gap')).toEqual(['4', '3', 'gap', '2', '1'])
  })

  test('stays small while very many come, and reads further back by cursor', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await window.signIn(await server.link())
    await page.goto(`${server.url}/feed?devices=counter`)
    await page.getByText('0 shown').waitFor()
    for (let first = 1; first <= 7000; first += 500) await server.post(...server.numbered(first, first + 499))
    await eventually(async () => (await numbersIn(page))[0] === 7000)
    await page.getByText('5,000 shown').waitFor() // the others are in the log
    expect((await numbersIn(page)).length).toBeLessThan(60)
    // To the end of the list, and on: older pages come by themselves.
    await page.getByRole('listbox').press('End')
    await eventually(
      async () => {
        await page.getByRole('listbox').press('End')
        return (await numbersIn(page)).at(-1) === 1
      },
      { everyMs: 100 }
    )
    await page.getByText('This is the oldest that is kept.').waitFor()
    expect(window.troubles).toEqual([])
  })
})
