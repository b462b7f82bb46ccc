// Debian's Chromium with a page of the console in it, and what went wrong in there.
import { existsSync, readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

const executablePath = '/usr/bin/chromium'
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]
const axeSource = readFileSync('node_modules/axe-core/axe.min.js', 'utf8')

/** What axe-core answers, as far as it is looked at. */
interface AxeResult {
  violations: { id: string; nodes: { target: string[] }[] }[]
}

/** Whether Chromium is there; else says so on the console. */
export function chromiumIsHere(): boolean {
  if (existsSync(executablePath)) return true
  if (process.env['CI'] !== undefined) throw new Error(`there is no ${executablePath}; .ci/run installs it`)
  console.log('skipped: chromium is not installed here')
  return false
}

/** A browser; use with `await using`. */
export async function openBrowser(): Promise<{ browser: Browser } & AsyncDisposable> {
  const browser = await chromium.launch({ executablePath, args, timeout: 120_000 })
  return { browser, [Symbol.asyncDispose]: () => browser.close() }
}

/** A window of its own, with cookies of its own; use with `await using`. */
export class ConsoleWindow implements AsyncDisposable {
  readonly page: Page
  /** What the page wrote as errors or warnings, and what it threw. */
  readonly troubles: string[] = []
  /** Every address that was asked for. */
  readonly requested: string[] = []

  private constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(60_000)
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) this.troubles.push(message.text())
    })
    page.on('pageerror', error => this.troubles.push(error.message))
    page.on('request', request => this.requested.push(request.url()))
    page.on('websocket', socket => this.requested.push(socket.url()))
  }

  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<ConsoleWindow> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    return new ConsoleWindow(await context.newPage())
  }

  /** Opens a sign-in link, and waits until it has done its work. */
  async signIn(link: string): Promise<void> {
    await this.page.goto(link)
    await this.page.locator('.frame').waitFor()
  }

  /** What axe-core finds wrong with the page as it is: a line for each, with where. */
  async violations(): Promise<string[]> {
    await this.page.evaluate(axeSource)
    const found = await this.page.evaluate<AxeResult>('axe.run()')
    return found.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close()
  }
}

export const narrow = { width: 390, height: 800 }
