// What an operator does, in a real browser: signs in, finds out what is wrong, acknowledges it, finds out why, tries rules.
import { describe, expect, jest, test } from '@jest/globals'
import type { Alert } from '../../../console/src/api/shapes.ts'
import { eventually } from '../../helpers/eventually.ts'
import { chromiumIsHere, ConsoleWindow, narrow, openBrowser } from './browser.ts'
import { ConsoleServer } from './console-server.ts'

// A browser on a busy machine takes its time.
jest.setTimeout(300_000)

/** Alerts of three severities. */
const severitiesFile = `
rules:
${['minor', 'major', 'critical']
  .map(
    (severity, at) => `
  - name: ${severity}
    topics: [level/+]
    when: payload.level == ${at + 1}
    severity: ${severity}
    title: '{device} is bad'`
  )
  .join('')}
channels: []
routes: []
`

const inBrowser = chromiumIsHere() ? describe : describe.skip

inBrowser('signing in', () => {
  test('with a token: a wrong one is refused in words, the right one is asked for once', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await page.goto(`${server.url}/alerts`)
    await page.getByLabel('Token').waitFor()
    expect(await window.violations()).toEqual([])
    expect(window.troubles).toEqual([])
    await page.getByLabel('Token').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The server does not know this token').waitFor()
    window.troubles.splice(0) // that the request was refused
    await page.getByLabel('Token').fill(server.adminToken)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Alerts', level: 1 }).waitFor()
    expect(await page.evaluate('document.cookie')).toBe('') // nothing for scripts to read
    await page.reload()
    await page.getByRole('heading', { name: 'Alerts', level: 1 }).waitFor()
    expect(window.troubles).toEqual([])
    await page.getByRole('button', { name: /You and this page/ }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token').waitFor()
    await page.reload()
    await page.getByLabel('Token').waitFor()
    // As somebody else: nothing of who was here before is left.
    await page.getByLabel('Token').fill(await server.token('viewer'))
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /You and this page: a viewer · viewer/ }).waitFor()
    expect(window.troubles).toEqual([])
  })

  test('goes on when the server did not hear of signing out', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await window.signIn(await server.link())
    await page.route('**/v1/session', (route, request) =>
      request.method() === 'DELETE' ? route.abort() : route.continue()
    )
    await page.getByRole('button', { name: /You and this page/ }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are still signed in.').waitFor()
    expect(await page.getByRole('heading', { name: 'Overview', level: 1 }).isVisible()).toBe(true)
    await page.unroute('**/v1/session')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token').waitFor()
  })

  test('with a link, once; its code does not stay in the address', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const link = server.run('console').trim()
    await window.signIn(link)
    expect(window.page.url()).toBe(`${server.url}/`)
    await using other = await ConsoleWindow.open(opened.browser)
    await other.page.goto(link)
    const refused = other.page.getByText('The sign-in link was used before or is too old.')
    await refused.waitFor()
    // It is no news any more once somebody has signed in.
    await other.page.getByLabel('Token').fill(server.adminToken)
    await other.page.keyboard.press('Enter')
    await other.page.getByRole('button', { name: /You and this page/ }).click()
    await other.page.getByRole('button', { name: 'Sign out' }).click()
    await other.page.getByLabel('Token').waitFor()
    expect(await refused.count()).toBe(0)
  })

  test('a viewer sees everything and is offered nothing that the server would refuse', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await server.post({ device: 'freezer-1', topic: 'cold/freezer-1/temperature', payload: { celsius: 1 } })
    await server.ask('POST', '/v1/silences', { match: { devices: ['other'] }, for: '1h', comment: '' })
    await window.signIn(await server.link('viewer'))
    await page.getByText('One alert is firing').waitFor()
    // Each with something that stands there once it is all loaded.
    for (const [path, content] of [
      ['/', /freezer-1 is at 1 °C/],
      ['/alerts', /freezer-1 is at 1 °C/],
      ['/alerts/a1', 'Raised'],
      ['/silences', 'device other'],
      ['/channels', 'desk'],
      ['/rules', 'too-warm'],
      ['/devices/freezer-1', /freezer-1 is at 1 °C/]
    ] as const) {
      await page.goto(server.url + path)
      await page.getByText(content, { exact: true }).first().waitFor()
      const buttons = page.getByRole('button', {
        name: /Acknowledge|Resolve|^Silence|Send a test|Add|Reload|Register|End/
      })
      expect({ path, offered: await buttons.allTextContents() }).toEqual({ path, offered: [] })
    }
    await page.goto(`${server.url}/alerts/a1`)
    await page.getByText('Raised', { exact: true }).waitFor()
    // The same pages offer them to an operator: it is not that nothing was looked at.
    await using operator = await ConsoleWindow.open(opened.browser)
    await operator.signIn(await server.link('operator'))
    await operator.page.getByRole('button', { name: 'Acknowledge: freezer-1 is at 1 °C' }).waitFor()
    await operator.page.goto(`${server.url}/silences`)
    await operator.page.getByRole('button', { name: 'End it: the silence of device other' }).waitFor()
    expect(window.troubles).toEqual([])
  })

  test('a token that is revoked ends what it opened', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    await window.signIn(await server.link('operator'))
    await window.page.getByText('Live', { exact: true }).waitFor()
    const { items } = await server.ask<{ items: { id: string; role: string }[] }>('GET', '/v1/tokens')
    const operator = items.find(({ role }) => role === 'operator')
    await server.ask('DELETE', `/v1/tokens/${operator?.id}`)
    await window.page.getByLabel('Token').waitFor()
  })
})

inBrowser('an alert that a device raises', () => {
  test('is seen at once, acknowledged by keyboard, and tells its whole story', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await window.signIn(await server.link())
    await page.getByText('Nothing is wrong that a rule knows of.').waitFor()
    await using device = server.warmDevice()
    await page.getByText('One alert is firing').waitFor()
    await eventually(async () => (await page.title()) === '(1) Overview · Tocsin')
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await page.getByRole('heading', { name: 'Alerts', level: 1 }).waitFor()
    await page.getByRole('row', { name: /freezer-0001 is at -5 °C/ }).waitFor()
    expect(await window.violations()).toEqual([])
    await page.keyboard.press('j')
    await page.keyboard.press('a')
    const dialog = page.getByRole('dialog', { name: 'Acknowledge a1' })
    await dialog.getByLabel('Comment').fill('the door was open')
    expect(await window.violations()).toEqual([])
    await page.keyboard.press('Control+Enter')
    await page.getByText('a1 is acknowledged.').waitFor()
    await page.getByRole('cell', { name: 'Acknowledged · first start' }).waitFor()
    const { alert } = await server.ask<{ alert: Alert }>('GET', '/v1/alerts/a1')
    expect(alert).toMatchObject({
      state: 'acknowledged',
      acknowledged: { actor: 'first start', comment: 'the door was open' }
    })
    // Its page: since when, why, what was done, and who was told.
    await page.keyboard.press('Enter')
    const story = page.getByRole('region', { name: 'What happened' })
    await story.getByText('Cause:').waitFor()
    await story.getByText('Raised', { exact: true }).waitFor()
    await story.getByText('Told desk').waitFor()
    await story.getByText('first start: the door was open').waitFor()
    await page.getByRole('region', { name: 'Who was told' }).getByText('desk', { exact: true }).waitFor()
    expect(await page.getByRole('link', { name: 'What to do (runbook)' }).getAttribute('href')).toBe(
      'https://example.org/warm'
    )
    expect(await window.violations()).toEqual([])
    await page.keyboard.press('r')
    const resolving = page.getByRole('dialog', { name: 'Resolve a1' })
    await resolving.getByRole('button', { name: 'Resolve', exact: true }).click()
    await page.getByText('Resolved', { exact: true }).first().waitFor()
    await device.terminate()
    expect(window.troubles).toEqual([])
  })

  test('is silenced from its row, which is then among the silences and can be ended', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await server.post({ device: 'freezer-1', topic: 'cold/freezer-1/temperature', payload: { celsius: 1 } })
    await window.signIn(await server.link('operator'))
    await page.getByRole('link', { name: /^Alerts/ }).click()
    await page.getByRole('button', { name: /^Silence: freezer-1/ }).click()
    await page.getByLabel('For how long').selectOption('15m')
    await page.getByLabel('Everything about freezer-1').check()
    await page.getByRole('dialog').getByRole('button', { name: 'Silence', exact: true }).click()
    await page.getByText('a1 is silent now.').waitFor()
    await page.getByRole('row', { name: /freezer-1 is at 1 °C.*silenced/ }).waitFor()
    const silences = () =>
      server.ask<{ items: { state: string; match: object; author: string }[] }>('GET', '/v1/silences')
    expect((await silences()).items).toMatchObject([
      { state: 'active', match: { devices: ['freezer-1'] }, author: 'a operator' }
    ])
    await page.getByRole('link', { name: 'Silences' }).click()
    await page.getByRole('heading', { name: 'Silences', level: 1 }).waitFor()
    expect(await window.violations()).toEqual([])
    await page.getByRole('button', { name: 'End it: the silence of device freezer-1' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click()
    await page.getByText('The silence is ended.').waitFor()
    expect((await silences()).items[0]?.state).toBe('ended')
    expect(window.troubles).toEqual([])
  })

  test('is silenced by keyboard, and its page says so', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await server.post({ device: 'freezer-1', topic: 'cold/freezer-1/temperature', payload: { celsius: 1 } })
    await window.signIn(await server.link('operator'))
    await page.goto(`${server.url}/alerts`)
    await page.getByRole('row', { name: /freezer-1/ }).waitFor()
    await page.keyboard.press('j')
    await eventually(
      async () => (await page.evaluate('document.activeElement.textContent')) === 'freezer-1 is at 1 °C'
    )
    await page.keyboard.press('s')
    await page.getByRole('dialog', { name: 'Silence a1' }).getByLabel('Comment').fill('it is defrosted')
    await page.keyboard.press('Control+Enter')
    await page.getByText('a1 is silent now.').waitFor()
    await page.goto(`${server.url}/alerts/a1`)
    await page.getByText(/^Silenced until .* a operator.*it is defrosted/).waitFor()
    expect(await window.violations()).toEqual([])
    expect(window.troubles).toEqual([])
  })

  test('stands where it belongs, the worst first, and its dialog stays when it goes', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await server.reload(severitiesFile)
    const raise = (device: string, level: number) =>
      server.post({ device, topic: `level/${device}`, payload: { level } })
    await raise('minor-1', 1)
    await raise('critical-1', 3)
    await raise('major-1', 2)
    await window.signIn(await server.link('operator'))
    const titles = async () => page.locator('.alert-list .alert-title').allTextContents()
    await eventually(async () => (await titles()).length === 3)
    expect(await titles()).toEqual(['critical-1 is bad', 'major-1 is bad', 'minor-1 is bad'])
    await page.getByRole('button', { name: 'Acknowledge: minor-1 is bad' }).click()
    const comment = page.getByRole('dialog').getByLabel('Comment')
    await comment.fill('I look at')
    for (let n = 2; n <= 9; n++) await raise(`critical-${n}`, 3)
    await page.getByText('minor-1 is bad').and(page.getByRole('link')).waitFor({ state: 'detached' })
    await comment.press('End')
    await page.keyboard.type(' it')
    await page.keyboard.press('Control+Enter')
    await page.getByText('a1 is acknowledged.').waitFor()
    const { alert } = await server.ask<{ alert: Alert }>('GET', '/v1/alerts/a1')
    expect(alert.acknowledged?.comment).toBe('I look at it')
    // What opened the dialog is gone: keys go on with what the page shows.
    await eventually(() => page.evaluate<boolean>("document.activeElement.id === 'content'"))
    expect(window.troubles).toEqual([])
  })
})

inBrowser('the overview', () => {
  test('says when no rule is in force, and when one is again', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await server.reload('rules: []\n')
    await window.signIn(await server.link())
    await page.getByText('No rules are in force: alerts come only from handlers and from outside.').waitFor()
    expect(await page.getByText('Nothing is wrong').count()).toBe(0)
    await server.reload()
    await page.getByText('Nothing is wrong that a rule knows of.').waitFor()
    expect(window.troubles).toEqual([])
  })
})

inBrowser('a channel', () => {
  test('is tested, and says how that went', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await window.signIn(await server.link('operator'))
    await page.getByRole('link', { name: 'Channels' }).click()
    await page.getByRole('button', { name: 'Send a test through desk' }).click()
    await page.getByText(/^The test was sent/).waitFor()
    expect(await window.violations()).toEqual([])
    expect(window.troubles).toEqual([])
  })
})

inBrowser('the frame', () => {
  test('goes by keyboard, lists the keys, and keeps the focus', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser, { viewport: narrow })
    const { page } = window
    const focused = (condition: string) =>
      eventually(() => page.evaluate<boolean>(`(element => ${condition})(document.activeElement)`))
    await server.post(...server.numbered(1, 3))
    await window.signIn(await server.link())
    await page.keyboard.press('?')
    const help = page.getByRole('dialog', { name: 'Keyboard' })
    await help.getByText('g then o').waitFor()
    await help.getByText('↓ or j').waitFor()
    expect(await window.violations()).toEqual([])
    await page.keyboard.press('Escape')
    await help.waitFor({ state: 'detached' })
    await focused("element.id === 'content'")
    const account = page.getByRole('button', { name: /You and this page/ })
    await account.click()
    await page.getByLabel('Dark').check()
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
    await page.keyboard.press('Escape')
    await focused("element.classList.contains('account-button')")
    await page.reload()
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
    await page.locator('.frame').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('f')
    await page.getByRole('heading', { name: 'Live feed', level: 1 }).waitFor()
    expect(await page.title()).toBe('Live feed · Tocsin')
    await focused("element.id === 'content'")
    // The panel takes the focus from whoever opens it by keyboard, and gives it back.
    await page
      .getByRole('option', { name: /count\/counter/ })
      .first()
      .waitFor()
    await page.getByRole('listbox').focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await focused("element.classList.contains('side-panel')")
    await page.getByRole('button', { name: 'Close' }).click()
    await focused("element.getAttribute('role') === 'listbox'")
    // In a narrow window the filters are folded.
    expect(await page.getByLabel('Topics').isVisible()).toBe(false)
    await page.keyboard.press('/')
    await focused("element.type === 'search'")
    expect(await page.getByLabel('Topics').isVisible()).toBe(true)
    expect(window.troubles).toEqual([])
  })
})

inBrowser('a new critical alert', () => {
  test('is heard and shown by the desktop, where that is switched on', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser, { permissions: ['notifications'] })
    const { page } = window
    // What the browser would play and show is counted in its place.
    await page.addInitScript(`
      globalThis.called = { tones: 0, shown: [] }
      globalThis.OscillatorNode = class extends OscillatorNode {
        start(at) { called.tones++; super.start(at) }
      }
      globalThis.Notification = class {
        static permission = 'granted'
        static requestPermission = async () => 'granted'
        constructor(title) { called.shown.push(title) }
      }`)
    const called = async () => page.evaluate<{ tones: number; shown: string[] }>('called')
    const raise = (device: string) =>
      server.post({ device, topic: `cold/${device}/temperature`, payload: { celsius: 1 } })
    await window.signIn(await server.link())
    await raise('freezer-1')
    await page.getByText('One alert is firing').waitFor()
    expect(await called()).toEqual({ tones: 0, shown: [] })
    await page.getByRole('button', { name: /You and this page/ }).click()
    await page.getByLabel('Play a sound').check()
    await page.getByLabel('Show a desktop notification').check()
    await eventually(async () => (await called()).tones === 2) // what it will sound like
    expect(await window.violations()).toEqual([])
    await page.getByLabel('Count in the window’s title').uncheck()
    await eventually(async () => (await page.title()) === 'Overview · Tocsin')
    // Two tones more, once the sound that was just played is some time ago.
    await eventually(
      async () => {
        await raise(`freezer-${Math.random().toString(36).slice(2)}`)
        return (await called()).tones >= 4
      },
      { everyMs: 300 }
    )
    expect((await called()).shown[0]).toMatch(/^freezer-\w+ is at 1 °C$/)
    // It is kept in this browser, which wants a click before it lets a page sound.
    await page.reload()
    await page.getByText('Click anywhere to let this page sound.').waitFor()
    await page.getByRole('button', { name: /You and this page/ }).click()
    expect(await page.getByLabel('Play a sound').isChecked()).toBe(true)
    expect(await page.getByText('Click anywhere').count()).toBe(0)
    expect(window.troubles).toEqual([])
  })
})

inBrowser('a device', () => {
  test('is found, and its page shows its presence, values and time line', async () => {
    await using server = await ConsoleServer.start()
    await using device = server.warmDevice()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    await server.post(...server.numbered(1, 2))
    await window.signIn(await server.link())
    await page.getByRole('link', { name: 'Devices' }).click()
    await page.getByRole('link', { name: 'counter' }).waitFor()
    await page.getByRole('link', { name: 'freezer-0001', exact: true }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('FREEZ')
    await page.getByRole('link', { name: 'counter' }).waitFor({ state: 'detached' })
    expect(await window.violations()).toEqual([])
    await page.getByRole('link', { name: 'freezer-0001', exact: true }).click()
    await page.getByRole('heading', { name: 'freezer-0001', level: 1 }).waitFor()
    await page
      .getByText(/Online/)
      .first()
      .waitFor()
    await page.getByRole('img', { name: /celsius.*last -5/ }).waitFor()
    await page
      .getByRole('option', { name: /cold\/freezer-0001\/temperature/ })
      .first()
      .waitFor()
    expect(await window.violations()).toEqual([])
    await device.terminate()
    expect(window.troubles).toEqual([])
  })
})

inBrowser('a rule', () => {
  test('is tried over history, changed, and its firings are drawn', async () => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await using window = await ConsoleWindow.open(opened.browser)
    const { page } = window
    for (const celsius of [-20, -5, -20, -3, -20])
      await server.post({ device: 'freezer-1', topic: 'cold/freezer-1/temperature', payload: { celsius } })
    await window.signIn(await server.link('operator'))
    await page.getByRole('link', { name: 'Rules' }).click()
    await page.getByRole('link', { name: 'too-warm' }).click()
    await page.getByRole('button', { name: 'Try it' }).click()
    await page.getByText('Fired 2 times, for one key').waitFor()
    await page.getByRole('button', { name: 'freezer-1: fired 2 times. Show why.' }).waitFor()
    const firings = page.getByRole('row', { name: /freezer-1 is at/ })
    expect(await firings.allTextContents()).toEqual([
      expect.stringContaining('freezer-1 is at -5 °C'),
      expect.stringContaining('freezer-1 is at -3 °C')
    ])
    expect(await window.violations()).toEqual([])
    await page.getByLabel('A changed text').check()
    const text = page.getByRole('textbox', { name: /Rule|text|YAML/i }).last()
    await text.fill((await text.inputValue()).replace('-10.0', '-4.0'))
    await page.getByRole('button', { name: 'Try it' }).click()
    await page
      .getByText(/is at -3 °C/)
      .first()
      .waitFor()
    await page.getByText(/is at -5 °C/).waitFor({ state: 'detached' })
    await text.fill('name: broken\nwhen: payload.celsius >\n')
    await page.getByRole('button', { name: 'Try it' }).click()
    await page
      .getByText(/line 2/i)
      .first()
      .waitFor()
    expect(await window.violations()).toEqual([])
  })
})

inBrowser('every page', () => {
  test.each([
    ['wide and light', { colorScheme: 'light' }],
    ['narrow and dark', { colorScheme: 'dark', viewport: narrow }]
  ] as const)('is accessible %s, and asks no other host for anything', async (_, options) => {
    await using server = await ConsoleServer.start()
    await using opened = await openBrowser()
    await server.post({ device: 'freezer-1', topic: 'cold/freezer-1/temperature', payload: { celsius: 1 } })
    const paths = [
      '/',
      '/feed',
      '/alerts',
      '/alerts?show=resolved',
      '/alerts/a1',
      '/devices',
      '/devices/freezer-1'
    ]
    paths.push('/rules', '/rules/too-warm', '/rules?try=1', '/silences', '/channels', '/alerts/a999')
    await using window = await ConsoleWindow.open(opened.browser, options)
    const { page } = window
    await window.signIn(await server.link())
    for (const path of paths) {
      await page.goto(server.url + path)
      await page.getByText('Live', { exact: true }).waitFor()
      await eventually(async () => (await page.getByText('Loading …').count()) === 0)
      expect({ path, violations: await window.violations() }).toEqual({ path, violations: [] })
      const overflow = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
      expect({ path, overflow }).toEqual({ path, overflow: false })
    }
    // That alert a999 is not there is an answer with status 404, which browsers call an error.
    expect(window.troubles.filter(text => !text.includes('404'))).toEqual([])
    const hosts = new Set(window.requested.map(address => new URL(address).host))
    expect([...hosts]).toEqual([new URL(server.url).host])
  })
})
