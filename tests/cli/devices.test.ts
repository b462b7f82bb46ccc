import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { connectAsync } from 'mqtt'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runTocsin, serveTocsin } from './tocsin-process.ts'

/** Runs a command that must work; what it printed. */
function run(...args: string[]): string {
  const { code, stdout, stderr } = runTocsin(args)
  if (code !== 0) throw new Error(`${args.join(' ')} ended with exit code ${code}: ${stderr}`)
  return stdout
}

function connect(port: number, username: string, password: string) {
  return connectAsync(
    `mqtt://127.0.0.1:${port}`,
    { username, password, clientId: username, protocolVersion: 5, reconnectPeriod: 0 },
    false
  )
}

function tokenOf(line: string): string {
  return line.trim().slice(line.indexOf(':') + 1)
}

test('a device that is registered while no server runs connects with its token, and with no other', async () => {
  await using folder = await temporaryFolder()
  const line = run('devices', 'add', 'freezer-7', '--store.dir', folder.path)
  expect(line).toMatch(/^freezer-7:[\w-]{43}\n$/)
  expect(run('devices', 'list', '--store.dir', folder.path)).toMatch(
    /^DEVICE +REGISTERED\nfreezer-7 +\S+Z\n$/
  )
  await using server = await serveTocsin(folder.path, ['--devices.anonymous', 'false'])
  const client = await connect(server.mqtt.port, 'freezer-7', tokenOf(line))
  await client.publishAsync('site/1/freezer-7', '{}', { qos: 1 })
  await client.endAsync()
  await expect(connect(server.mqtt.port, 'freezer-7', 'another')).rejects.toThrow('Connection refused')
  await expect(connect(server.mqtt.port, 'stranger', tokenOf(line))).rejects.toThrow('Connection refused')
})

test('a running server registers, rotates and removes devices, and cuts off whose token changed', async () => {
  await using folder = await temporaryFolder()
  await using server = await serveTocsin(folder.path, ['--devices.anonymous', 'false'])
  const on = ['--store.dir', folder.path, '--http.port', String(server.http.port)]
  const first = tokenOf(run('devices', 'add', 'pump-1', ...on))
  const client = await connect(server.mqtt.port, 'pump-1', first)
  const closed = once(client as unknown as EventTarget, 'close')
  const second = tokenOf(run('devices', 'rotate', 'pump-1', ...on))
  await closed
  await expect(connect(server.mqtt.port, 'pump-1', first)).rejects.toThrow('Connection refused')
  const again = await connect(server.mqtt.port, 'pump-1', second)
  expect(run('devices', 'list', ...on)).toMatch(/^DEVICE +REGISTERED\npump-1 +\S+Z\n$/)
  run('devices', 'remove', 'pump-1', ...on)
  await eventually(() => !again.connected, { what: 'the end of the connection' })
  expect(run('devices', 'list', ...on)).toBe('DEVICE  REGISTERED\n')
  await Promise.all([client.endAsync(true), again.endAsync(true)])
})

test('what can not be done is a sentence, on a server and on a store alike', async () => {
  await using folder = await temporaryFolder()
  const on = ['--store.dir', join(folder.path, 'data'), '--http.port', '1']
  const unknown = () => runTocsin(['devices', 'rotate', 'nobody', ...on])
  expect(unknown()).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no data folder') })
  run('devices', 'add', 'pump-1', ...on)
  expect(unknown()).toEqual({ code: 1, stdout: '', stderr: 'tocsin: there is no registered device nobody\n' })
  const twice = runTocsin(['devices', 'add', 'pump-1', ...on])
  expect(twice).toEqual({ code: 1, stdout: '', stderr: 'tocsin: device pump-1 is registered already\n' })
  await using server = await serveTocsin(join(folder.path, 'data'))
  on[3] = String(server.http.port)
  for (const args of [
    ['rotate', 'nobody'],
    ['remove', 'nobody'],
    ['add', 'pump-1']
  ]) {
    const { code, stdout, stderr } = runTocsin(['devices', ...args, ...on])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^tocsin: the server refused: .*(nobody|pump-1).*\n$/)
  }
})

test('a folder that is served by a process which can not be asked is said to be so', async () => {
  await using folder = await temporaryFolder()
  await using _server = await serveTocsin(folder.path)
  const { code, stderr } = runTocsin(['devices', 'list', '--store.dir', folder.path, '--http.port', '1'])
  expect(code).toBe(1)
  expect(stderr).toContain(`a process serves the data folder ${folder.path}, but it can't be asked`)
  expect(stderr).toContain('127.0.0.1:1 does not answer')
})

test('tokens are created, listed and revoked, on a server and on a store alike', async () => {
  await using folder = await temporaryFolder()
  const offline = ['--store.dir', folder.path, '--http.port', '1']
  const viewer = run('tokens', 'create', '--role', 'viewer', '--name', 'wall', ...offline).trim()
  expect(run('tokens', 'list', ...offline)).toMatch(/^TOKEN +ROLE +CREATED +NAME\n\S+ +viewer +\S+Z +wall\n$/)
  await using server = await serveTocsin(folder.path)
  const online = ['--store.dir', folder.path, '--http.port', String(server.http.port)]
  const read = async (token: string) =>
    (
      await fetch(`http://127.0.0.1:${server.http.port}/v1/notifications`, {
        headers: { authorization: `Bearer ${token}` }
      })
    ).status
  expect(await read(viewer)).toBe(200)
  const operator = run('tokens', 'create', '--role', 'operator', '--name', 'pager', ...online).trim()
  expect(await read(operator)).toBe(200)
  const lines = run('tokens', 'list', '--json', ...online)
    .trim()
    .split('\n')
  const tokens = lines.map(line => JSON.parse(line) as { id: string; name: string })
  expect(tokens.map(({ name }) => name).sort()).toEqual(['first start', 'pager', 'wall'])
  run('tokens', 'revoke', tokens.find(({ name }) => name === 'wall')?.id ?? '', ...online)
  expect(await read(viewer)).toBe(401)
  expect(await read(operator)).toBe(200)
})
