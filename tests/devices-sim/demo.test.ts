import { describe, expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { tocsin } from './tocsin-process.ts'

const folderOf = (out: string) => /^ {2}data +(.+)$/m.exec(out)?.[1] ?? ''
const urlOf = (out: string) => /^ {2}HTTP +(http:\S+)/m.exec(out)?.[1] ?? ''

/** Does with the console's link what the page does. */
async function signInByLink(out: string): Promise<{ status: number; body: unknown }> {
  const [, url = '', code = ''] = /^ {2}console +(http:\S+)\/#code=(\S+)$/m.exec(out) ?? []
  const response = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ code })
  })
  return { status: response.status, body: await response.json() }
}

describe('tocsin demo', () => {
  test('shows notifications of devices over both protocols within seconds, and leaves nothing behind', async () => {
    await using demo = tocsin('demo')
    const { output } = demo
    await eventually(() => urlOf(output.out) !== '' && /\{"n":1,/.test(output.out))
    const folder = folderOf(output.out)
    expect(existsSync(folder)).toBe(true)
    expect(await signInByLink(output.out)).toMatchObject({ status: 200, body: { role: 'admin' } })
    expect(await signInByLink(output.out)).toMatchObject({ status: 401 })
    await eventually(() => (output.out.match(/ presence /g) ?? []).length >= 50)
    const json = tocsin(
      'tail',
      '--url',
      urlOf(output.out),
      '--store.dir',
      folder,
      '--after',
      'earliest',
      '--json',
      '-n',
      '80'
    )
    expect(await json.ended).toBe(0)
    const items = json.output.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { source?: string; cursor: string })
    expect(items).toHaveLength(80)
    expect(new Set(items.map(item => item.cursor)).size).toBe(80)
    expect(items.map(item => item.source)).toEqual(expect.arrayContaining(['mqtt', 'tcp']))
    demo.child.kill('SIGINT')
    expect(await demo.ended).toBe(0)
    expect(output.error).toBe('')
    expect(output.out).toMatch(/\n\d+ events were acknowledged\. Devices reconnected \d+ times\./)
    expect(existsSync(folder)).toBe(false)
  })

  test('raises alerts, tells them and clears them, by itself', async () => {
    await using demo = tocsin('demo')
    const said = (line: RegExp) => eventually(() => line.exec(demo.output.out))
    await said(/ major +\S+ +alert +firing a\d+ gone +\S+ is offline: connection-lost\n/)
    await said(/ alert +resolved a\d+ gone +\S+ is offline: connection-lost\n/)
    await said(/ delivery +sent desk /)
    demo.child.kill('SIGINT')
    expect(await demo.ended).toBe(0)
    expect(demo.output.error).toBe('')
  })

  test('ends by itself after its duration, and keeps a folder that was named', async () => {
    await using folder = await temporaryFolder()
    await using demo = tocsin(
      'demo',
      '--duration',
      '5s',
      '--devices',
      '50',
      '--store.dir',
      folder.path,
      '--json'
    )
    expect(await demo.ended).toBe(0)
    const lines = demo.output.out.trim().split('\n')
    expect(lines.map(line => (JSON.parse(line) as { kind: string }).kind)).toContain('presence')
    expect(demo.output.error).toMatch(/^Tocsin demo: 50 simulated devices/)
    expect(existsSync(`${folder.path}/admin.token`)).toBe(true)
  })

  test('goes to free ports where the usual ones are taken, and says so', async () => {
    const occupant = createServer()
    occupant.on('error', () => {}) // somebody else has it: just as well
    occupant.listen(1883, '127.0.0.1')
    await Promise.race([once(occupant, 'listening'), once(occupant, 'error')]).catch(() => {})
    try {
      await using demo = tocsin('demo', '--duration', '500ms', '--devices', '2')
      expect(await demo.ended).toBe(0)
      expect(demo.output.out).toMatch(/MQTT +127\.0\.0\.1:\d+ {2}\(1883 is taken\)/)
    } finally {
      occupant.close()
    }
  })

  test('ends when nobody reads its output any more', async () => {
    await using demo = tocsin('demo', '--devices', '5')
    await eventually(() => folderOf(demo.output.out) !== '')
    const folder = folderOf(demo.output.out)
    demo.child.stdout.destroy()
    expect(await demo.ended).toBe(0)
    expect(demo.output.error).toBe('')
    expect(existsSync(folder)).toBe(false)
  })
})
