import { describe, expect, test } from '@jest/globals'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { freeServerPorts, type ServerPorts } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { tocsin } from './tocsin-process.ts'

/** A server as a process; its log says where it serves. */
async function serve(dir: string, ports: ServerPorts = { mqtt: 0, tcp: 0, http: 0 }) {
  const server = tocsin(
    'serve',
    '--store.dir',
    dir,
    '--log.level',
    'info',
    ...Object.entries(ports).flatMap(([section, port]) => [`--${section}.port`, String(port)])
  )
  const line = await eventually(() => {
    if (server.child.exitCode !== null)
      throw new Error(`serve ended with ${server.child.exitCode}: ${server.output.out}${server.output.error}`)
    return /^.*"Serving".*$/m.exec(server.output.out)?.[0]
  })
  const said = JSON.parse(line) as Record<'mqtt' | 'tcp' | 'http', string>
  return { ...server, ...said }
}

type Item = { cursor: string; kind: string; device: string; topic?: string; payload?: { n: number } }
const itemsOf = (out: string) =>
  out
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Item)

describe('tocsin tail', () => {
  test('misses nothing and repeats nothing while the server is killed and comes back', async () => {
    await using folder = await temporaryFolder()
    const ports = await freeServerPorts()
    const first = await serve(folder.path, ports)
    await using tail = tocsin(
      'tail',
      '--url',
      `http://${first.http}`,
      '--store.dir',
      folder.path,
      '--json',
      '--kind',
      'event'
    )
    await using fleet = tocsin(
      'simulate',
      '--profile',
      'load',
      '--devices',
      '10',
      '--rate',
      '200',
      '--quiet',
      '--protocol',
      'tcp',
      '--json',
      '--tcp',
      first.tcp,
      '--mqtt',
      first.mqtt
    )
    await eventually(() => itemsOf(tail.output.out).length > 50)
    first.child.kill('SIGKILL')
    await first.ended
    await eventually(() => /connection lost .*; reconnecting, to go on from/.test(tail.output.error))
    await using second = await serve(folder.path, ports)
    const before = itemsOf(tail.output.out).length
    await eventually(() => itemsOf(tail.output.out).length > before + 50)
    fleet.child.kill('SIGINT')
    expect(await fleet.ended).toBe(0)
    const { tcp } = JSON.parse(fleet.output.out) as { tcp: { acknowledged: number; unacknowledged: number } }
    expect(tcp.unacknowledged).toBe(0)
    const seen = () => itemsOf(tail.output.out).map(item => `${item.device} ${item.payload?.n}`)
    const numbers = () => itemsOf(tail.output.out).map(item => parseInt(item.cursor.split('-')[1] ?? '', 36))
    await eventually(() => new Set(seen()).size >= tcp.acknowledged - missedBefore(), { what: 'every event' })
    expect(new Set(seen()).size).toBe(seen().length)
    expect(numbers()).toEqual(numbers().toSorted((one, other) => one - other))
    tail.child.kill('SIGINT')
    expect(await tail.ended).toBe(0)
    second.child.kill('SIGTERM')
    await second.ended

    /** Events of each device from before the tail was connected. */
    function missedBefore(): number {
      const firsts = new Map<string, number>()
      for (const { device, payload } of itemsOf(tail.output.out))
        if (!firsts.has(device)) firsts.set(device, payload?.n ?? 0)
      return [...firsts.values()].reduce((sum, n) => sum + n - 1, 0)
    }
  })

  test('filters, follows from the beginning, ends after a count, and when its reader has gone', async () => {
    await using folder = await temporaryFolder()
    await using server = await serve(folder.path)
    const at = ['--url', `http://${server.http}`, '--token-file', join(folder.path, 'admin.token')]
    const fleet = tocsin(
      'simulate',
      '--devices',
      '12',
      '--rate',
      '100',
      '--duration',
      '1s',
      '--quiet',
      '--tcp',
      server.tcp,
      '--mqtt',
      server.mqtt
    )
    expect(await fleet.ended).toBe(0)
    const tail = async (...args: string[]) => {
      await using run = tocsin('tail', ...at, '--after', 'earliest', '--json', ...args)
      expect(await run.ended).toBe(0)
      return itemsOf(run.output.out)
    }
    const freezers = await tail('--topic', 'site/+/freezer/#', '-n', '5')
    expect(freezers).toHaveLength(5)
    expect(freezers.every(item => /^site\/\w+\/freezer\//.test(item.topic ?? ''))).toBe(true)
    const presence = await tail('--kind', 'presence', '--device', 'pump-0001', '-n', '1')
    expect(presence).toMatchObject([{ kind: 'presence', device: 'pump-0001', status: 'online' }])
    await using endless = tocsin('tail', ...at, '--after', 'earliest')
    await eventually(() => endless.output.out.length > 1000)
    endless.child.stdout.destroy()
    const late = tocsin(
      'simulate',
      '--devices',
      '2',
      '--duration',
      '1s',
      '--quiet',
      '--tcp',
      server.tcp,
      '--mqtt',
      server.mqtt
    )
    await late.ended
    expect(await endless.ended).toBe(0)
    expect(endless.output.error).toBe('')
  })

  test('says what is wrong in a sentence', async () => {
    await using folder = await temporaryFolder()
    await using server = await serve(folder.path)
    const wrong = tocsin('tail', '--url', `http://${server.http}`, '--token', 'x'.repeat(43))
    expect(await wrong.ended).toBe(1)
    expect(wrong.output.error).toMatch(/^tocsin: The server refuses the feed: .*401.*--token-file\.\n$/)
    const filter = tocsin(
      'tail',
      '--url',
      `http://${server.http}`,
      '--store.dir',
      folder.path,
      '--topic',
      'a/#/b'
    )
    expect(await filter.ended).toBe(1)
    expect(filter.output.error).toMatch(/^tocsin: The server refuses: /)
    const noToken = tocsin('tail', '--url', `http://${server.http}`, '--store.dir', join(folder.path, 'none'))
    expect(await noToken.ended).toBe(2)
    expect(noToken.output.error).toMatch(/Can't read a token from .*admin\.token: it does not exist/)
    const nobody = tocsin('tail', '--url', 'http://127.0.0.1:1', '--token', 'x')
    expect(await nobody.ended).toBe(1)
    expect(nobody.output.error).toMatch(/No feed at http:\/\/127\.0\.0\.1:1/)
    const kind = tocsin('tail', '--kind', 'evnt')
    expect(await kind.ended).toBe(2)
    expect(kind.output.error).toMatch(/Kinds are event, presence, alert, delivery/)
  })
})
