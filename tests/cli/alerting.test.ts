// Rules, alerts and channels from the command line, against a server of its own.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { readNotifications } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runTocsin } from './tocsin-process.ts'

const alertingFile = `
rules:
  - { name: hot, topics: [t/#], when: payload.c > 30, severity: major, title: '{device} is at {payload.c}' }
channels:
  - { name: siren, mqtt: { topic: siren } }
routes:
  - { match: { rules: [hot] }, channels: [siren], groupWait: 10ms }
`

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let server: ServerProcess
let file: string

beforeAll(async () => {
  folder = await temporaryFolder()
  file = join(folder.path, 'alerting.yaml')
  await writeFile(file, alertingFile)
  server = await ServerProcess.start(join(folder.path, 'data'), { 'alerting.file': file })
  await send('p1', { c: 31 })
  await send('p2', { c: 20 })
  await eventually(async () => (await readNotifications(server, 'delivery')).length > 0)
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function send(device: string, payload: object): Promise<void> {
  const { status } = await server.ask('/v1/events', { body: { device, topic: 't/1', payload } })
  expect(status).toBe(200)
}

function run(...args: string[]) {
  return runTocsin([...args, '--url', server.url, '--store.dir', server.dir])
}

function output(...args: string[]): string {
  const { code, stdout, stderr } = run(...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('alerts', () => {
  test('are listed, explained, acknowledged and resolved', () => {
    expect(output('alerts')).toMatch(/^ALERT .*\na1 +major +firing +\S+Z +1 +hot +p1 +p1 is at 31\n$/)
    const told = output('explain', 'a1').split('\n')
    expect(told[0]).toBe('a1  major  firing  p1 is at 31')
    expect(told.slice(3).map(line => line.slice(26))).toEqual([
      'p1 sent t/1 {"c":31}',
      'raised as major: p1 is at 31',
      expect.stringMatching(/^told siren, attempt 1: /),
      ''
    ])
    expect(output('alerts', 'acknowledge', 'a1', '--comment', 'on my way')).toBe(
      'a1 is acknowledged: p1 is at 31\n'
    )
    expect(output('alerts', 'resolve', 'a1', '--comment', 'done')).toBe('a1 is resolved: p1 is at 31\n')
    expect(output('explain', 'a1')).toMatch(
      /acknowledged by \S.*: on my way\n[\s\S]*resolved by \S.*: done\n/
    )
    expect(output('alerts')).toBe('No alert is open.\n')
    expect(JSON.parse(output('alerts', 'list', '--all', '--json'))).toMatchObject({
      id: 'a1',
      state: 'resolved'
    })
  })

  test('that are not there, or over, are a sentence', () => {
    expect(run('explain', 'a99')).toMatchObject({ code: 1, stderr: expect.stringContaining('a99') })
    expect(run('alerts', 'resolve', 'a1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('final')
    })
  })
})

test('silences are added, listed and ended', () => {
  const [, id = ''] =
    /^(s\d+) until \S+Z\n$/.exec(
      output('silences', 'add', '--device', 'freezer-*', '--for', '2h', '--comment', 'why')
    ) ?? []
  expect(output('silences')).toMatch(new RegExp(`\\n${id} +active .*"devices":\\["freezer-\\*"\\].* why\\n`))
  output('silences', 'end', id)
  expect(output('silences', 'list', '--json')).toMatch(/"state":"ended"/)
  expect(output('silences', 'add', '--label', 'site=hall', 'floor=', '--for', '2h')).toMatch(/^s\d+ until /)
  expect(output('silences')).toContain('{"labels":{"site":"hall","floor":""}}')
  expect(run('silences', 'add', '--label', 'site', '--for', '2h')).toMatchObject({ code: 2 })
  expect(run('silences', 'add', '--for', '2h')).toMatchObject({ code: 2 })
  expect(run('silences', 'add', '--device', 'x')).toMatchObject({ code: 2 })
})

test('rules are listed and tried on history', async () => {
  expect(output('rules')).toMatch(/\nhot +threshold +major +\d+ +1 +\d+ +2 +0\n$/)
  const other = join(folder.path, 'other.yaml')
  await writeFile(
    other,
    `name: mild\ntopics: [t/#]\nwhen: payload.c > 10\nseverity: minor\ntitle: '{device} {payload.c}'\n`
  )
  expect(output('rules', 'dry-run', other, '--from', '1h')).toMatch(
    /it would have raised 2 alerts, by 2 notifications\.\n[\s\S]*minor +1 +p1 +p1 31\n[\s\S]*p2 20\n$/
  )
  expect(output('rules', 'dry-run', 'hot', '--from', '1h')).toMatch(/would have raised 1 alert, by 2/)
  expect(run('rules', 'dry-run', 'cold', '--from', '1h')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no rule "cold" is in force')
  })
  expect(run('rules', 'dry-run', './cold', '--from', '1h')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("./cold can't be read: there is no such file")
  })
  await writeFile(other, 'name: mild\nwhen: payload.c >\n')
  expect(run('rules', 'dry-run', other, '--from', '1h')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/line 2: /)
  })
})

test('channels are listed and tested', () => {
  expect(output('channels')).toMatch(/\nsiren +mqtt +siren +0 +closed +0 /)
  expect(output('channels', 'test', 'siren')).toMatch(/^sent: /)
  expect(run('channels', 'test', 'nobody')).toMatchObject({ code: 1 })
})

describe('the alerting file', () => {
  test('is checked by check-config, every problem with its line', async () => {
    const bad = join(folder.path, 'bad.yaml')
    await writeFile(bad, 'rules:\n  - name: a\n    wen: 1\nrouts: []\n')
    const { code, stderr } = runTocsin(['check-config', '--alerting.file', bad])
    expect(code).toBe(2)
    for (const line of [3, 4]) expect(stderr).toContain(`${bad}, line ${line}: `)
    expect(runTocsin(['check-config', '--alerting.file', file]).code).toBe(0)
    expect(runTocsin(['check-config', '--alerting.file', join(folder.path, 'none')]).stderr).toContain(
      'no such file'
    )
  })

  test('is read again on command and on SIGHUP; one with problems changes nothing', async () => {
    await writeFile(file, alertingFile.replace('payload.c >', 'payload.c > >'))
    expect(run('reload')).toMatchObject({ code: 1, stderr: expect.stringMatching(/line 3: /) })
    await send('p3', { c: 31 })
    await eventually(async () => output('alerts').includes('p3 is at 31'))
    await writeFile(file, alertingFile.replace('is at', 'has'))
    expect(output('reload')).toBe('In force: 1 rule, 0 handlers, 1 channel and 1 route.\n')
    const module = join(folder.path, 'handlers.mjs')
    const handler = (title: string) =>
      `export const handlers = { 't/:n'(event, actions) { actions.raise({ key: event.device + '/${title}', severity: 'minor', title: '${title}' }) } }`
    await writeFile(module, handler('first'))
    await writeFile(file, `${alertingFile}\nhandlers: [{ name: extra, module: ./handlers.mjs }]\n`)
    server.hangUp()
    await eventually(
      () => output('rules').includes('hot') && server.output.includes('the alerting file was read')
    )
    await eventually(async () => {
      await send('p4', { c: 1 })
      return output('alerts').includes('first')
    })
    await writeFile(module, handler('second'))
    server.hangUp()
    await eventually(async () => {
      await send('p4', { c: 1 })
      return output('alerts').includes('second')
    })
  })
})

test('a server whose alerting file is missing or bad says which, and every line, and does not start', async () => {
  const missing = join(folder.path, 'missing.yaml')
  const start = (name: string) =>
    runTocsin([
      'serve',
      '--store.dir',
      join(folder.path, 'other'),
      '--http.port',
      '0',
      '--alerting.file',
      name
    ])
  expect(start(missing)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`${missing}, line 1: can't be read: there is no such file`)
  })
  const bad = join(folder.path, 'unfit.yaml')
  await writeFile(bad, 'rules:\n  - name: a\n    wen: 1\nrouts: []\n')
  const { code, stderr } = start(bad)
  expect(code).toBe(2)
  for (const line of [3, 4]) expect(stderr).toContain(`${bad}, line ${line}: `)
})
