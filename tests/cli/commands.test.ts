import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runTocsin } from './tocsin-process.ts'

describe('usage', () => {
  test('--help shows every command, and is quick', () => {
    // Time of the processor: how long it waits for that is not its doing.
    const tellCpuMs = 'process.on("exit", () => console.error(process.cpuUsage().user / 1000))'
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tellCpuMs)}` }
    const { code, stdout, stderr } = runTocsin(['--help'], { env })
    expect(code).toBe(0)
    expect(Number(stderr)).toBeGreaterThan(0)
    expect(Number(stderr)).toBeLessThan(2000)
    for (const name of [
      'serve',
      'demo',
      'simulate',
      'tail',
      'console',
      'alerts',
      'explain',
      'silences',
      'rules',
      'channels',
      'reload',
      'devices',
      'tokens',
      'check-config',
      'healthcheck'
    ])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
  })

  test.each([
    'serve',
    'demo',
    'simulate',
    'tail',
    'console',
    'alerts',
    'explain',
    'silences',
    'rules',
    'channels',
    'reload',
    'devices',
    'devices add',
    'tokens',
    'check-config',
    'healthcheck'
  ])('%s explains itself', command => {
    const words = command.split(' ')
    const { code, stdout } = runTocsin([...words, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: tocsin ${command} `)
    expect(stdout).toContain('--config <file>')
  })

  test.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['serve', '--frobnicate'], "unknown option '--frobnicate'"],
    [['devices', 'add'], "missing required argument 'id'"],
    [['tokens', 'create', '--role', 'king'], 'Allowed choices are viewer, operator, admin'],
    [['serve', '--mqtt.prot', '1'], 'did you mean --mqtt.port?'],
    [
      ['serve', '--config', '/nowhere/tocsin.yaml'],
      "/nowhere/tocsin.yaml: can't be read: there is no such file"
    ]
  ])('%j is refused with exit code 2 and no stack trace', (args, sentence) => {
    const { code, stderr } = runTocsin(args)
    expect(code).toBe(2)
    expect(stderr).toContain(sentence)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('a Node.js that is too old is told so in one sentence', () => {
    const old = '/usr/bin/node'
    if (!existsSync(old) || !/^v(1\d|2[01])\./.test(versionOf(old))) {
      console.log('skipped: there is no older Node.js on this machine')
      return
    }
    const { code, stdout, stderr } = runTocsin(['serve'], { node: old })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^Tocsin needs Node\.js 22\.13 or newer .*; this is \d+\.\d+\.\d+\.\n$/)
  })
})

describe('check-config', () => {
  test('prints what results from file, environment and flags', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'tocsin.yaml')
    await writeFile(file, 'mqtt:\n  port: 1\ntcp:\n  port: 2\nhttp:\n  port: 3\n')
    const env = { TOCSIN_TCP__PORT: '22', TOCSIN_HTTP__PORT: '33', TOCSIN_CONFIG: file }
    const { code, stdout } = runTocsin(['check-config', '--print', '--http.port', '333'], { env })
    expect(code).toBe(0)
    expect(parse(stdout)).toMatchObject({ mqtt: { port: 1 }, tcp: { port: 22 }, http: { port: 333 } })
  })

  test('says everything that is wrong at once', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'tocsin.yaml')
    await writeFile(file, 'mqtt:\n  prot: 1\nhttp:\n  port: eighty\n')
    const env = { TOCSIN_TCP__PORT: '99999' }
    const { code, stdout, stderr } = runTocsin(['check-config', '--config', file, '--log.level=loud'], {
      env
    })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^tocsin: The configuration has 4 problems:\n/)
    for (const part of ['--log.level', 'mqtt.prot', 'TOCSIN_TCP__PORT', `${file}, line 4`])
      expect(stderr).toContain(part)
  })

  test('is content with the defaults', () => {
    expect(runTocsin(['check-config'])).toEqual({
      code: 0,
      stdout: 'The configuration is good.\n',
      stderr: ''
    })
  })
})

function versionOf(node: string): string {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout
}
