// npm run screenshots: pictures of the console for the README, taken of the running demo in Debian's Chromium.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { eventually } from '../helpers/eventually.ts'
import { Tool } from '../system/external-tools.ts'
import { chromiumIsHere, ConsoleWindow, openBrowser } from './browser/browser.ts'

const { values } = parseArgs({
  options: { folder: { type: 'string', default: 'docs/images' }, help: { type: 'boolean', default: false } }
})
if (values.help)
  console.log('npm run screenshots [-- --folder docs/images]: needs /usr/bin/chromium, takes about a minute')
else if (chromiumIsHere()) await takeScreenshots(values.folder)
else process.exitCode = 1

async function takeScreenshots(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const ports = ['--mqtt.port', '0', '--tcp.port', '0', '--http.port', '0']
  await using demo = new Tool(process.execPath, ['dist/cli/main.js', 'demo', '--duration', '5m', ...ports])
  const link = await eventually(() => /(http\S+\/#code=\S+)/.exec(demo.lines.join('\n'))?.[1], {
    timeoutMs: 30_000
  })
  await using opened = await openBrowser()
  await using window = await ConsoleWindow.open(opened.browser, { viewport: { width: 1200, height: 740 } })
  const { page } = window
  const url = new URL(link).origin
  await window.signIn(link)
  // Some minutes of samples make charts, and several alerts are open now and then.
  const fired = page.locator('.alert-row')
  await eventually(async () => (await fired.count()) >= 3 && demo.lines.length > 1200, {
    timeoutMs: 240_000,
    everyMs: 250
  })
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.goto(`${url}/`)
    await page.locator('.chart canvas').last().waitFor()
    await page.screenshot({ path: join(folder, `overview-${colorScheme}.png`) })
    await page.goto(`${url}/alerts?show=resolved`)
    await page.getByRole('link', { name: /°C/ }).first().click()
    await page.getByRole('region', { name: 'Who was told' }).waitFor()
    await page.screenshot({ path: join(folder, `alert-${colorScheme}.png`) })
    console.log(`${folder}: overview-${colorScheme}.png, alert-${colorScheme}.png`)
  }
  await demo.terminate()
}
