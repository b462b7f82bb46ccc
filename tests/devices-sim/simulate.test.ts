import { describe, expect, test } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '../../devices-sim/report.ts'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { tocsin } from './tocsin-process.ts'
import { TestTcpServer } from './tcp-server.ts'

const simulate = (server: TestTcpServer, ...args: string[]) =>
  tocsin(
    'simulate',
    '--protocol',
    'tcp',
    '--tcp',
    `127.0.0.1:${server.port}`,
    '--mqtt',
    '127.0.0.1:1',
    ...args
  )

describe('tocsin simulate', () => {
  test('ends by itself with a report, and everything acknowledged is recorded', async () => {
    await using folder = await temporaryFolder()
    await using server = await new TestTcpServer().listen()
    const record = join(folder.path, 'record')
    const run = simulate(
      server,
      '--profile',
      'load',
      '--devices',
      '5',
      '--rate',
      '100',
      '--duration',
      '1s',
      '--json',
      '--record',
      record
    )
    expect(await run.ended).toBe(0)
    const report = JSON.parse(run.output.out) as Report
    expect(report).toMatchObject({
      profile: 'load',
      seed: '1',
      devices: 5,
      tcp: { devices: 5, unacknowledged: 0 }
    })
    expect(report.acknowledgedPerSecond).toBeGreaterThan(40)
    expect(report.acknowledgedPerSecond).toBeLessThan(140)
    expect(report.tcp.timeToAcknowledgement.count).toBe(report.tcp.acknowledged)
    const lines = (await readFile(record, 'utf8')).trim().split('\n')
    expect(lines).toHaveLength(report.tcp.acknowledged)
  })

  test('at SIGINT ends with the report', async () => {
    await using server = await new TestTcpServer().listen()
    const run = simulate(server, '--profile', 'load', '--devices', '3', '--rate', '10/device', '--quiet')
    await eventually(
      () => server.streams.size === 3 && [...server.streams.values()].every(each => each.lastSeq > 1)
    )
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
    expect(run.output.out).toMatch(/^3 devices of "load"/)
    expect(run.output.out).toMatch(/p99\.9/)
    expect(run.output.error).toBe('')
    expect([...server.streams.values()].every(each => each.byes === 1)).toBe(true)
  })

  test('the same seed sends the same events', async () => {
    const played = async () => {
      await using server = await new TestTcpServer().listen()
      const run = simulate(
        server,
        '--profile',
        'building',
        '--devices',
        '4',
        '--rate',
        '50/device',
        '--duration',
        '500ms',
        '--quiet'
      )
      await run.ended
      return [...server.streams].map(([id, stream]) => [id, stream.events.slice(0, 5)]).sort()
    }
    const first = await played()
    expect(first).toHaveLength(4)
    expect(await played()).toEqual(first)
  })

  test('fails with a sentence when no device could connect', async () => {
    const server = await new TestTcpServer().listen()
    await server[Symbol.asyncDispose]()
    const run = simulate(server, '--devices', '2', '--duration', '1s', '--quiet')
    expect(await run.ended).toBe(1)
    expect(run.output.error).toMatch(/No device could connect .*ECONNREFUSED/)
  })

  test('says what is wrong with a profile, a token file or an option, with exit code 2', async () => {
    await using folder = await temporaryFolder()
    const profile = join(folder.path, 'fleet.yaml')
    await writeFile(
      profile,
      'name: x\nkinds:\n  - { kind: a, topic: a, interval: never, fields: {} }\ncolour: 1\n'
    )
    const bad = tocsin('simulate', '--profile', profile)
    expect(await bad.ended).toBe(2)
    expect(bad.output.error).toMatch(/2 problems:\n.*kinds\[0\]\.interval, line 3/)
    const missing = tocsin('simulate', '--profile', 'no-such-fleet')
    expect(await missing.ended).toBe(2)
    expect(missing.output.error).toMatch(/no-such-fleet: it does not exist/)
    const tokens = join(folder.path, 'tokens')
    await writeFile(tokens, 'one:secret\nbroken\n')
    const token = tocsin('simulate', '--token-file', tokens)
    expect(await token.ended).toBe(2)
    expect(token.output.error).toMatch(/line 2: must be id:token/)
    const option = tocsin('simulate', '--rate', 'fast')
    expect(await option.ended).toBe(2)
    expect(option.output.error).not.toMatch(/\n\s+at /)
  })
})
