import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { connectAsync } from 'mqtt'
import { WebSocket } from 'ws'
import { eventually } from '../helpers/eventually.ts'
import { RawTcpDevice } from '../helpers/raw-tcp-device.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runTool, toolIsHere } from './external-tools.ts'
import {
  bearer,
  listenByFeed,
  listenByLongPoll,
  listenByMosquitto,
  listenByMqttJs,
  listenBySse,
  mosquittoArguments,
  type Credentials,
  type Listener
} from './participants.ts'

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
const tools = ['mosquitto_pub', 'mosquitto_sub', 'curl']
const withTools = tools.every(toolIsHere) ? test : test.skip

const ids = [
  'pub-311',
  'pub-5',
  'mqtt-js',
  'mqtt-ws',
  'tcp-1',
  'sub-311',
  'sub-5',
  'sub-js',
  'sub-ws',
  'sub-one'
] as const
type Id = (typeof ids)[number]

describe('one server with registered devices', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let server: ServerProcess
  let tokens: ReadonlyMap<string, string>

  beforeAll(async () => {
    folder = await temporaryFolder()
    server = await ServerProcess.start(folder.path, { 'devices.anonymous': 'false' })
    tokens = registerDevices(server, ids)
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const credentials = (device: Id): Credentials => ({ device, token: tokens.get(device) ?? '' })
  const mosquitto = (version: 'mqttv311' | 'mqttv5', device: Id) =>
    mosquittoArguments(server.ports.mqtt, version, credentials(device))
  const mqttUrl = () => `mqtt://127.0.0.1:${server.ports.mqtt}`
  const webSocketUrl = () => `${server.url.replace('http', 'ws')}/mqtt`

  withTools('everybody sees everybody’s events, with the identity that was authenticated', async () => {
    const all = 'site/#'
    const query = 'kinds=event&topics=site/%23'
    await using cleanup = new AsyncDisposableStack()
    // MQTT subscribers get this one when they have subscribed; it tells that they are ready.
    await runTool('mosquitto_pub', [...mosquitto('mqttv5', 'pub-5'), '-t', 'site/ready', '-m', '{}', '-r'])
    const byMqtt: Record<string, Listener> = {
      'mosquitto_sub 3.1.1': listenByMosquitto(mosquitto('mqttv311', 'sub-311'), all),
      'mosquitto_sub 5': listenByMosquitto(mosquitto('mqttv5', 'sub-5'), all),
      'MQTT.js 5': await listenByMqttJs(mqttUrl(), credentials('sub-js'), {
        filter: all,
        protocolVersion: 5
      }),
      'MQTT.js 3.1.1 over WebSocket': await listenByMqttJs(webSocketUrl(), credentials('sub-ws'), {
        filter: all,
        protocolVersion: 4
      })
    }
    const byFeed: Record<string, Listener> = {
      'WebSocket, JSON': await listenByFeed(server, 'json', { topics: [all], kinds: ['event'] }),
      'WebSocket, MessagePack': await listenByFeed(server, 'msgpack', { topics: [all], kinds: ['event'] }),
      'server-sent events': listenBySse(server, query),
      'long-poll': listenByLongPoll(server, query)
    }
    const onlyTcp = await listenByFeed(server, 'json', { devices: ['tcp-1'], kinds: ['event'] })
    const onlyMqttJs = listenByMosquitto(mosquitto('mqttv5', 'sub-one'), 'site/mqtt-js')
    for (const listener of [...Object.values(byMqtt), ...Object.values(byFeed), onlyTcp, onlyMqttJs])
      cleanup.use(listener)
    await eventually(async () => (await server.metric('tocsin_feed_subscribers')) >= 5, { what: 'feed' })
    await eventually(() => Object.values(byMqtt).every(listener => listener.heard().length === 1), {
      what: 'retained message for all'
    })

    const claim = (from: string) => ({ from, device: 'impostor' })
    for (const [version, device] of [
      ['mqttv311', 'pub-311'],
      ['mqttv5', 'pub-5']
    ] as const) {
      const message = ['-t', `site/${device}`, '-m', JSON.stringify(claim(device))]
      const { code, output } = await runTool('mosquitto_pub', [...mosquitto(version, device), ...message])
      expect({ code, output }).toEqual({ code: 0, output: '' })
    }
    for (const [url, device] of [
      [mqttUrl(), 'mqtt-js'],
      [webSocketUrl(), 'mqtt-ws']
    ] as const) {
      const { token } = credentials(device)
      const client = await connectAsync(url, { clientId: device, username: device, password: token })
      await client.publishAsync(`site/${device}`, JSON.stringify(claim(device)), { qos: 1 })
      await client.endAsync()
    }
    await using tcp = await RawTcpDevice.connect({ port: server.ports.tcp, ...credentials('tcp-1') })
    tcp.send(1, 'site/tcp-1', claim('tcp-1'))
    await eventually(() => tcp.acknowledged === 1, { what: 'ack' })
    const posted = JSON.stringify({ device: 'posted', topic: 'site/posted', payload: claim('posted') })
    const header = ['--header', 'Content-Type: application/json']
    const post = [...bearer(server.adminToken), ...header, '--data', posted, `${server.url}/v1/events`]
    expect(JSON.parse((await runTool('curl', ['--silent', ...post])).output)).toMatchObject({ stored: 1 })

    const senders = ['pub-311', 'pub-5', 'mqtt-js', 'mqtt-ws', 'tcp-1', 'posted']
    const expected = senders.map(device => ({ topic: `site/${device}`, value: claim(device), device }))
    for (const [name, listener] of Object.entries(byFeed)) {
      await eventually(() => listener.heard().length >= expected.length, { what: `all by ${name}` })
      expect({ name, heard: listener.heard() }).toEqual({ name, heard: expected })
    }
    const withoutDevice = expected.map(event => ({ ...event, device: undefined }))
    const ready = { topic: 'site/ready', value: {}, device: undefined }
    for (const [name, listener] of Object.entries(byMqtt)) {
      await eventually(() => listener.heard().length > expected.length, { what: `all by ${name}` })
      expect({ name, heard: listener.heard() }).toEqual({ name, heard: [ready, ...withoutDevice] })
    }
    await eventually(() => onlyTcp.heard().length > 0, { what: 'the event over TCP' })
    expect(onlyTcp.heard().map(({ device }) => device)).toEqual(['tcp-1'])
    await eventually(() => onlyMqttJs.heard().length > 0)
    expect(onlyMqttJs.heard().map(({ topic }) => topic)).toEqual(['site/mqtt-js'])
  })

  withTools('mosquitto’s clients and curl are told that their token is wrong', async () => {
    const wrong = { device: 'pub-5', token: 'wrong' }
    const message = ['-t', 'site/x', '-m', 'x']
    const by311 = mosquittoArguments(server.ports.mqtt, 'mqttv311', wrong)
    const { output: said311 } = await runTool('mosquitto_pub', [...by311, ...message])
    expect(said311).toMatch(/bad user name or password/i)
    const by5 = mosquittoArguments(server.ports.mqtt, 'mqttv5', wrong)
    const { output: said5 } = await runTool('mosquitto_pub', [...by5, ...message])
    expect(said5).toMatch(/bad user ?name or password/i)
    const write = ['--write-out', '\n%{http_code} %{content_type}']
    const path = `${server.url}/v1/notifications`
    const { output } = await runTool('curl', ['--silent', ...write, ...bearer('wrong'), path])
    const [problem = '', status] = output.split('\n')
    expect(JSON.parse(problem)).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(status).toMatch(/^401 application\/problem\+json/)
  })

  test.each([
    [4, 4],
    [5, 0x86]
  ] as const)('MQTT version %i refuses a wrong token with code %i', async (protocolVersion, code) => {
    const wrong = { clientId: 'pub-5', username: 'pub-5', password: 'wrong', protocolVersion }
    for (const url of [mqttUrl(), webSocketUrl()])
      await expect(connectAsync(url, { ...wrong, reconnectPeriod: 0 })).rejects.toMatchObject({ code })
  })

  test('raw TCP refuses a wrong token with an error and a close', async () => {
    await using device = await RawTcpDevice.connect({
      port: server.ports.tcp,
      device: 'tcp-1',
      token: 'wrong'
    })
    await device.closed
    expect(device.welcome).toBeNull()
    expect(device.errors).toMatchObject([{ code: 'bad-credentials' }])
  })

  test('the feed refuses a wrong token: on the upgrade with 401, in the first message with a close code not to return', async () => {
    const address = `${server.url.replace('http', 'ws')}/v1/feed`
    const refused = new WebSocket(address, 'tocsin.v1.json', { headers: { authorization: 'Bearer wrong' } })
    const [error] = (await once(refused, 'error')) as [Error]
    expect(error.message).toMatch(/401/)
    const socket = new WebSocket(address, 'tocsin.v1.json')
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'auth', token: 'wrong' }))
    const [code] = (await once(socket, 'close')) as [number]
    expect(code).toBe(4500)
  })
})

/** Registers devices with the command line, as an operator does while the server runs; gives their tokens. */
function registerDevices(server: ServerProcess, devices: readonly string[]): Map<string, string> {
  const settings = ['--store.dir', server.dir, '--http.port', `${server.ports.http}`]
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [main, 'devices', 'add', ...devices, ...settings],
    { encoding: 'utf8' }
  )
  if (status !== 0) throw new Error(`devices add: ${stderr}`)
  const lines = stdout.trim().split('\n')
  return new Map(lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}
