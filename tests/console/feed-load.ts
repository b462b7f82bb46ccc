// npm run console-load: how smooth the live feed is in Debian's Chromium while very many notifications come, and what
// memory it takes. Prints what it measured.
import { parseArgs } from 'node:util'
import { ConsoleServer } from './browser/console-server.ts'
import { chromiumIsHere, ConsoleWindow, openBrowser } from './browser/browser.ts'

/** Events go out in so many posts a second. */
const POSTS_PER_SECOND = 20

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false }
  }
})
if (values.help) console.log('npm run console-load [-- --rate 1000 --seconds 60]: needs /usr/bin/chromium')
else if (chromiumIsHere()) await measure(Number(values.rate), Number(values.seconds))
else process.exitCode = 1

async function measure(rate: number, seconds: number): Promise<void> {
  await using server = await ConsoleServer.start()
  await using opened = await openBrowser()
  await using window = await ConsoleWindow.open(opened.browser)
  const { page } = window
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable')
  await window.signIn(await server.link())
  await page.goto(`${server.url}/feed`)
  await page.getByRole('listbox').waitFor()
  await page.evaluate(`
    globalThis.frames = []
    let before = performance.now()
    const note = () => {
      const now = performance.now()
      globalThis.frames.push(now - before)
      before = now
      requestAnimationFrame(note)
    }
    requestAnimationFrame(note)`)
  const report = async (second: number) => {
    const { metrics } = await devtools.send('Performance.getMetrics')
    const metric = (name: string) => metrics.find(each => each.name === name)?.value ?? 0
    const rows = await page.locator('.virtual-list [role=option]').count()
    const heapMiB = (metric('JSHeapUsedSize') / 2 ** 20).toFixed(1)
    console.log(`${second} s: ${heapMiB} MiB of heap, ${metric('Nodes')} nodes, ${rows} rows in the document`)
  }
  const startedAt = Date.now()
  let sent = 0
  let reported = 0
  while (Date.now() - startedAt < seconds * 1000) {
    const due = Math.floor(((Date.now() - startedAt) * rate) / 1000)
    const next = Math.min(due, sent + Math.ceil(rate / POSTS_PER_SECOND) * 2)
    if (next > sent) await server.post(...server.numbered(sent + 1, next))
    sent = Math.max(sent, next)
    if (Date.now() - startedAt > reported * 10_000) await report(10 * reported++)
    await new Promise(resolve => setTimeout(resolve, 1000 / POSTS_PER_SECOND))
  }
  await page.getByRole('option', { name: `{"n":${sent}}` }).waitFor({ timeout: 30_000 })
  await report(seconds)
  const frames = await page.evaluate<number[]>('globalThis.frames')
  const sorted = frames.toSorted((one, other) => one - other)
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1)
  console.log(`${sent} notifications in ${seconds} s, all of them up to the last received`)
  console.log(
    `time between frames, ms: median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, longest ${at(1)}`
  )
  if (window.troubles.length > 0) console.log(`the page said: ${window.troubles.join('; ')}`)
}
