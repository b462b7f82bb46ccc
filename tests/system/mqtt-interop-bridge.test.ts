// A mosquitto broker that is bridged to a server process, as sites with a broker of their own do it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { connectAsync } from 'mqtt'
import { eventually } from '../helpers/eventually.ts'
import { freePort, ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { Tool, toolIsHere } from './external-tools.ts'

const mosquittoIsHere = toolIsHere('mosquitto')
const withMosquitto = mosquittoIsHere ? test : test.skip
const versions = ['mqttv311', 'mqttv50'] as const
type Version = (typeof versions)[number]

// A bridge that is refused comes back after about 6 s, and by default the first attempt says that it is a bridge, which
// not every server knows.
const BRIDGED_MS = 25_000

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let server: ServerProcess
const bridges = new Map<Version, { port: number; tool: Tool }>()

// Both at once, because of what each waits for.
beforeAll(async () => {
  folder = await temporaryFolder()
  server = await ServerProcess.start(folder.path)
  if (!mosquittoIsHere) return
  for (const version of versions) bridges.set(version, await startBridge(version))
})

afterAll(async () => {
  for (const { tool } of bridges.values()) await tool[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** A broker on a port of its own, with a bridge to the server. */
async function startBridge(version: Version) {
  const port = await freePort()
  const file = join(folder.path, `${version}.conf`)
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    `connection tocsin-${version}`,
    `address 127.0.0.1:${server.ports.mqtt}`,
    `remote_clientid bridge-${version}`,
    `bridge_protocol_version ${version}`,
    'cleansession false',
    'restart_timeout 1',
    'notifications_local_only true', // else its will is for a topic below $SYS, which is the server's own
    `topic ${version}/up/# out 1`,
    `topic ${version}/down/# in 1`,
    `topic ${version}/both/# both 2`
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  return { port, tool: new Tool('mosquitto', ['-c', file]) }
}

/** A client that notes what it is sent. */
async function listen(port: number, filter: string) {
  const connecting = () => connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 }).catch(() => null)
  const client = await eventually(connecting, { what: 'a broker', everyMs: 50 })
  const heard: string[] = []
  client.on('message', (topic, payload, { qos }) => heard.push(`${topic} ${qos} ${String(payload)}`))
  await client.subscribeAsync(filter, { qos: 2 })
  return { client, heard, [Symbol.asyncDispose]: () => client.endAsync(true) }
}

withMosquitto.each(versions)(
  'a bridge of mosquitto, %s, carries messages both ways in order and does not echo for ever',
  async version => {
    const topic = (name: string) => `${version}/${name}`
    const { port = 0, tool } = bridges.get(version) ?? {}
    await using there = await listen(server.ports.mqtt, topic('#'))
    await using here = await listen(port, topic('#'))
    await there.client.publishAsync(topic('down/kept'), 'ready', { qos: 1, retain: true })
    await eventually(() => here.heard.includes(`${topic('down/kept')} 1 ready`), {
      what: `a bridge (${tool?.errors})`,
      timeoutMs: BRIDGED_MS
    })
    const numbers = Array.from({ length: 100 }, (_, index) => index)
    await Promise.all([
      ...numbers.map(index => here.client.publishAsync(topic('up/a'), `${index}`, { qos: 1 })),
      ...numbers.map(index => there.client.publishAsync(topic('down/a'), `${index}`, { qos: 1 }))
    ])
    await here.client.publishAsync(topic('both/from-here'), 'x', { qos: 2 })
    await there.client.publishAsync(topic('both/from-there'), 'x', { qos: 2 })
    const both = [`${topic('both/from-here')} 2 x`, `${topic('both/from-there')} 2 x`]
    for (const { heard } of [here, there])
      await eventually(() => both.every(line => heard.includes(line)), { what: 'what goes both ways' })
    // Whatever is echoed comes before these.
    await here.client.publishAsync(topic('up/last'), 'x', { qos: 1 })
    await eventually(() => there.heard.includes(`${topic('up/last')} 1 x`), { what: 'the last up' })
    await there.client.publishAsync(topic('down/last'), 'x', { qos: 1 })
    await eventually(() => here.heard.includes(`${topic('down/last')} 1 x`), { what: 'the last down' })

    const carried = (name: string) => numbers.map(index => `${topic(name)} 1 ${index}`)
    expect(there.heard.filter(line => line.startsWith(topic('up/a ')))).toEqual(carried('up/a'))
    expect(here.heard.filter(line => line.startsWith(topic('down/a ')))).toEqual(carried('down/a'))
    const copies = (heard: string[]) => both.map(each => heard.filter(line => line === each).length)
    expect(copies(there.heard)).toEqual([1, 1])
    const [own = 0, other] = copies(here.heard)
    expect(other).toBe(1)
    // Who can not ask, as a version 5 bridge does, to be spared what it sent itself gets it back once.
    expect(own).toBeGreaterThanOrEqual(1)
    expect(own).toBeLessThanOrEqual(version === 'mqttv50' ? 1 : 2)
  }
)
