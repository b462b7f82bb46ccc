import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { connectAsync } from 'mqtt'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runTocsin, serveTocsin } from './tocsin-process.ts'

const freePorts = ['--mqtt.port=0', '--tcp.port=0', '--http.port=0']

test('the first start writes an admin token that only its owner can read, and it opens the server', async () => {
  await using folder = await temporaryFolder()
  await using server = await serveTocsin(join(folder.path, 'data'))
  const file = join(folder.path, 'data', 'admin.token')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(server.log).toContainEqual(expect.objectContaining({ msg: 'An admin token was written', file }))
  const token = (await readFile(file, 'utf8')).trim()
  const url = `http://127.0.0.1:${server.http.port}/v1/tokens`
  expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  expect((await fetch(url)).status).toBe(401)
})

test('the second start leaves the admin token as it is', async () => {
  await using folder = await temporaryFolder()
  await using first = await serveTocsin(folder.path)
  const token = await readFile(join(folder.path, 'admin.token'), 'utf8')
  await first.end('SIGTERM')
  await using second = await serveTocsin(folder.path)
  expect(await readFile(join(folder.path, 'admin.token'), 'utf8')).toBe(token)
  expect(second.log.map(({ msg }) => msg)).not.toContain('An admin token was written')
})

test('an admin token that was put there before the first start is taken', async () => {
  await using folder = await temporaryFolder()
  const token = 'a-token-of-at-least-thirty-two-characters'
  await writeFile(join(folder.path, 'admin.token'), `${token}\n`)
  await using server = await serveTocsin(folder.path)
  const url = `http://127.0.0.1:${server.http.port}/v1/tokens`
  expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s drains: clients are told, and the exit code is 0',
  async signal => {
    await using folder = await temporaryFolder()
    await using server = await serveTocsin(folder.path)
    const client = await connectAsync(`mqtt://127.0.0.1:${server.mqtt.port}`, {
      clientId: 'meter-1',
      protocolVersion: 5,
      reconnectPeriod: 0
    })
    const goodbye = new Promise(resolve => client.once('disconnect', packet => resolve(packet.reasonCode)))
    await client.publishAsync('site/1/power', '{"w":1}', { qos: 1 })
    const { code, stderr } = await server.end(signal)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(await goodbye).toBe(0x8b) // server shutting down
    await client.endAsync(true)
  }
)

test('draining does not wait for clients that say nothing and read nothing', async () => {
  await using folder = await temporaryFolder()
  // None of what clients have time for ends by itself meanwhile.
  const patient = ['--mqtt.connectTimeoutMs', '10m', '--tcp.helloTimeoutMs', '10m']
  await using server = await serveTocsin(folder.path, patient)
  const token = (await readFile(join(folder.path, 'admin.token'), 'utf8')).trim()
  const { mqtt, tcp, http } = server
  const sockets = [mqtt, tcp, http, mqtt, http].map(({ port }) => net.connect(port, '127.0.0.1'))
  await Promise.all(sockets.map(socket => once(socket, 'connect')))
  for (const socket of sockets) socket.on('error', () => {}) // that they are cut off is expected
  const [, , , half, poll] = sockets
  half?.write(Buffer.from([0x10, 0x7f, 0, 4])) // the beginning of a CONNECT
  poll?.write(`GET /v1/notifications?wait=60s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  const answered = new Promise(resolve => poll?.once('data', resolve))
  await eventually(async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${http.port}/metrics`)).text()
    return metrics.includes('tocsin_feed_subscribers{transport="long-poll"} 1')
  })
  const startedAt = performance.now()
  const { code } = await server.end('SIGTERM')
  expect(code).toBe(0)
  expect(performance.now() - startedAt).toBeLessThan(30_000)
  expect(String(await answered)).toMatch(/^HTTP\/1\.1 200 /)
  for (const socket of sockets) socket.destroy()
})

test('healthcheck says by its exit code whether a server can take work', async () => {
  await using folder = await temporaryFolder()
  await using server = await serveTocsin(folder.path)
  const args = ['healthcheck', '--http.port', String(server.http.port)]
  expect(runTocsin(args)).toMatchObject({ code: 0, stderr: '' })
  expect(runTocsin([...args, '--live'])).toMatchObject({ code: 0, stderr: '' })
  await server.end('SIGTERM')
  const { code, stderr } = runTocsin(args)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^tocsin: .* does not answer: nothing listens there\n$/)
})

test('metrics tell of the process and its event loop', async () => {
  await using folder = await temporaryFolder()
  await using server = await serveTocsin(folder.path)
  const text = await (await fetch(`http://127.0.0.1:${server.http.port}/metrics`)).text()
  expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
  expect(text).toMatch(/^tocsin_event_loop_delay_seconds_count \d+/m)
})

test('a port that is in use is named, with the setting to change', async () => {
  await using folder = await temporaryFolder()
  const other = net.createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as net.AddressInfo
  for (const part of ['mqtt', 'tcp', 'http']) {
    const dir = join(folder.path, part)
    const { code, stderr } = runTocsin(['serve', '--store.dir', dir, ...freePorts, `--${part}.port=${port}`])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `tocsin: 127.0.0.1:${port} is in use already; set ${part}.port to a free port\n`
    })
  }
  other.close()
})

test('a data folder is served by one process at a time', async () => {
  await using folder = await temporaryFolder()
  await using _first = await serveTocsin(folder.path)
  const { code, stderr } = runTocsin(['serve', '--store.dir', folder.path, ...freePorts])
  expect(code).toBe(1)
  expect(stderr.split('\n')).toHaveLength(2)
  expect(stderr).toContain(folder.path)
})

test('a data folder that can not be made is a sentence', async () => {
  await using folder = await temporaryFolder()
  await writeFile(join(folder.path, 'file'), '')
  const dir = join(folder.path, 'file', 'data')
  const { code, stderr } = runTocsin(['serve', '--store.dir', dir, ...freePorts])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^tocsin: the data folder .*file\/data can't be used: .*; set store\.dir\n$/)
})

test('anonymous devices beyond loopback are refused at start, with what to set', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'data'))
  const { code, stderr } = runTocsin(['serve', '--store.dir', join(folder.path, 'data')], {
    env: { TOCSIN_MQTT__HOST: '0.0.0.0' }
  })
  expect(code).toBe(2)
  expect(stderr).toContain('mqtt.host is 0.0.0.0; set devices.anonymous to false')
})
