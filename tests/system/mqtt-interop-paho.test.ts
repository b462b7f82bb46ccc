// Eclipse Paho's Python client, as Debian packages it, against a server process. What it does is in paho/*.py.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runTool } from './external-tools.ts'

// Debian's own Python: another one that comes first in PATH does not have Debian's packages.
const python = '/usr/bin/python3'
const withPaho = pahoIsHere() ? test : test.skip
const scripts = fileURLToPath(new URL('../../../tests/system/paho/', import.meta.url))

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let server: ServerProcess

beforeAll(async () => {
  folder = await temporaryFolder()
  server = await ServerProcess.start(folder.path)
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

function pahoIsHere(): boolean {
  if (spawnSync(python, ['-c', 'import paho.mqtt.client']).status === 0) return true
  console.log('skipped: Python’s paho-mqtt is not installed here')
  return false
}

interface Way {
  version: '3.1' | '3.1.1' | '5'
  transport: 'tcp' | 'websockets'
}

const ways: Way[] = [
  { version: '3.1', transport: 'tcp' },
  { version: '3.1.1', transport: 'tcp' },
  { version: '5', transport: 'tcp' },
  { version: '3.1.1', transport: 'websockets' },
  { version: '5', transport: 'websockets' }
]

/** Runs a script; gives what it reports. */
async function run(script: string, { version, transport }: Way, topic: string): Promise<unknown> {
  const port = transport === 'tcp' ? server.ports.mqtt : server.ports.http
  const args = ['--port', `${port}`, '--version', version, '--transport', transport, '--topic', topic]
  const { code, output } = await runTool(python, ['-B', `${scripts}${script}.py`, ...args])
  if (code !== 0) throw new Error(`${script}.py ends with ${code}: ${output}`)
  return JSON.parse(output) as unknown
}

describe.each(ways)('paho, MQTT $version over $transport', way => {
  const topic = (name: string) => `${name}/${way.version}/${way.transport}`

  withPaho('500 messages at each QoS come back in order', async () => {
    const t = topic('both-ways')
    const expected = (qos: number) => Array.from({ length: 500 }, (_, index) => [`${t}/${qos}`, qos, index])
    expect(await run('both_ways', way, t)).toEqual({
      0: expected(0),
      1: expected(1),
      2: expected(2),
      'after unsubscribing': 'heard'
    })
  })

  withPaho('a durable session goes on after a goodbye and after a torn connection', async () => {
    const missed = (from: number) => Array.from({ length: 50 }, (_, index) => `missed ${from + index}`)
    const present = way.version === '3.1' ? [false, false, false, false] : [false, true, true, false]
    expect(await run('durable', way, topic('durable'))).toEqual({
      present,
      received: [['while there'], missed(0), missed(50), []]
    })
  })

  withPaho('a will is published when the connection is torn', async () => {
    const t = topic('wills')
    expect(await run('will', way, t)).toEqual([
      [[`${t}/torn`, 'gone', 2, false]],
      [[`${t}/torn`, 'gone', 1, true]]
    ])
  })
})

withPaho.each(ways.filter(({ version }) => version === '5'))(
  'paho, MQTT 5 over $transport: properties and subscription options do what they say',
  async way => {
    const t = `properties/${way.transport}`
    const { messageExpiryInterval, ...report } = (await run('properties', way, t)) as Record<string, unknown>
    expect(report).toEqual({
      topic: `${t}/a`,
      payload: 'grüße',
      qos: 2,
      retain: true,
      payloadFormatIndicator: 1,
      contentType: 'text/plain; charset=utf-8',
      responseTopic: 'answers/ü',
      correlationData: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('hex'),
      userProperties: [
        ['site', 'north'],
        ['floor', '2'],
        ['café', 'été']
      ],
      subscriptionIdentifiers: [1, 2],
      heardByPublisher: [`${t}/b`]
    })
    expect(messageExpiryInterval).toBeGreaterThan(80)
    expect(messageExpiryInterval).toBeLessThanOrEqual(100)
  }
)
