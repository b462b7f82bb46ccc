// What only MQTT 5 has, between mosquitto's clients and a server process.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { toolIsHere } from './external-tools.ts'
import { Mosquitto } from './mosquitto.ts'

const tools = ['mosquitto_pub', 'mosquitto_sub']
const withTools = tools.every(toolIsHere) ? test : test.skip

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let server: ServerProcess
let mosquitto: Mosquitto

beforeAll(async () => {
  folder = await temporaryFolder()
  server = await ServerProcess.start(folder.path)
  mosquitto = new Mosquitto(server.ports.mqtt, 'mqttv5')
  if (tools.every(toolIsHere)) await mosquitto.prepare()
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** `-D` arguments of one command. */
function properties(command: string, ...each: readonly (readonly string[])[]): string[] {
  return each.flatMap(property => ['-D', command, ...property])
}

withTools('a message keeps its properties', async () => {
  await using subscriber = await mosquitto.subscribe({
    filters: ['properties'],
    format: '%p;C=%C;R=%R;D=%D;F=%F;E=%E;A=%A;P=%P',
    args: ['-q', '1']
  })
  const sent = properties(
    'publish',
    ['content-type', 'text/plain'],
    ['response-topic', 'answers/é'],
    ['correlation-data', 'c-1'],
    ['payload-format-indicator', '1'],
    ['message-expiry-interval', '100'],
    ['topic-alias', '3'],
    ['user-property', 'site', 'north'],
    ['user-property', 'floor', '2']
  )
  await mosquitto.publish(['-t', 'properties', '-q', '1', '-m', 'x', ...sent])
  const [line = ''] = await subscriber.until(/^x/)
  const [, expiry = ''] = /E=(\d+)/.exec(line) ?? []
  expect(Number(expiry)).toBeGreaterThan(90)
  expect(Number(expiry)).toBeLessThanOrEqual(100)
  expect(line.replace(/E=\d+/, 'E=…')).toBe(
    'x;C=text/plain;R=answers/é;D=c-1;F=1;E=…;A=;P=site:north floor:2'
  )
})

withTools('a will keeps its properties, and its delay ends with the session', async () => {
  await using watcher = await mosquitto.subscribe({
    filters: ['will-properties'],
    format: '%p;C=%C;R=%R;D=%D;F=%F;P=%P',
    args: ['-q', '1']
  })
  const client = await mosquitto.subscribe({
    filters: ['unused'],
    args: [
      ['--will-topic', 'will-properties', '--will-payload', 'gone', '--will-qos', '1'],
      properties(
        'will',
        ['content-type', 'text/plain'],
        ['response-topic', 'answers'],
        ['correlation-data', 'c-2'],
        ['payload-format-indicator', '1'],
        ['will-delay-interval', '3600'],
        ['user-property', 'site', 'south']
      )
    ].flat()
  })
  await client.tool.kill9()
  expect(await watcher.until(/^gone/)).toEqual(['gone;C=text/plain;R=answers;D=c-2;F=1;P=site:south'])
})

withTools('a subscription identifier comes with what the subscription brings', async () => {
  await using subscriber = await mosquitto.subscribe({
    filters: ['identified/#'],
    format: '%S %t',
    args: ['-q', '1', ...properties('subscribe', ['subscription-identifier', '268435455'])]
  })
  await mosquitto.publish(['-t', 'identified/a', '-q', '1', '-m', 'x'])
  expect(await subscriber.until(/a$/)).toEqual(['268435455 identified/a'])
})

withTools('overlapping subscriptions give one copy', async () => {
  const filters = ['overlap/#', 'overlap/+', 'overlap/a']
  await using subscriber = await mosquitto.subscribe({ filters, format: '%q %p', args: ['-q', '1'] })
  for (const message of ['first', 'last'])
    await mosquitto.publish(['-t', 'overlap/a', '-q', '2', '-m', message])
  expect(await subscriber.until(/last$/)).toEqual(['1 first', '1 last'])
})

withTools('a client that disconnects and wants its will published has it published', async () => {
  await using watcher = await mosquitto.subscribe({ filters: ['wanted-wills'] })
  const will = ['--will-topic', 'wanted-wills', '--will-payload', 'gone']
  const client = await mosquitto.subscribe({ filters: ['unused'], args: will })
  await client.tool.terminate() // on SIGTERM mosquitto_sub sends DISCONNECT with reason 0x04
  expect(await watcher.until(/gone$/)).toEqual(['wanted-wills 0 0 gone'])
})

withTools('a topic alias stands for the topic in later messages', async () => {
  await using subscriber = await mosquitto.subscribe({ filters: ['aliased/#'], args: ['-q', '2'] })
  const alias = properties('publish', ['topic-alias', '7'])
  const lines = Array.from({ length: 50 }, (_, index) => `${index}`)
  await mosquitto.publish(['-t', 'aliased/topic', '-q', '2', '-l', ...alias], {
    input: `${lines.join('\n')}\n`
  })
  expect(await subscriber.until(/ 49$/)).toEqual(lines.map(line => `aliased/topic 2 0 ${line}`))
})

withTools('a session lives as long as its expiry says, and a message as long as its own', async () => {
  const session = (id: string, expiryS: string) => ['-c', '-i', id, '-x', expiryS, '-q', '1']
  const kept = session('keeps', '100')
  const ended = session('ends', '0')
  for (const args of [kept, ended]) await mosquitto.run('mosquitto_sub', [...args, '-t', 'expiring', '-E'])
  const expiry = properties('publish', ['message-expiry-interval', '1'])
  await mosquitto.publish(['-t', 'expiring', '-q', '1', '-m', 'short-lived', ...expiry])
  await mosquitto.publish(['-t', 'expiring', '-q', '1', '-m', 'lasting'])
  const { code } = await mosquitto.run('mosquitto_sub', ['-t', 'nothing', '-W', '2']) // longer than the short life
  expect(code).toBe(27)
  const returned = await mosquitto.run('mosquitto_sub', [...kept, '-t', 'expiring', '-C', '1'])
  expect(returned).toEqual({ code: 0, output: 'lasting\n' })
  await using anew = await mosquitto.subscribe({ filters: ['expiring'], format: '%p', args: ended })
  await mosquitto.publish(['-t', 'expiring', '-q', '1', '-m', 'after'])
  expect(await anew.until('after')).toEqual(['after'])
})

withTools('a client that takes small packets only, few at a time, gets the small ones in order', async () => {
  await using subscriber = await mosquitto.subscribe({
    filters: ['narrow'],
    format: '%p',
    args: ['-q', '1', ...properties('connect', ['maximum-packet-size', '100'], ['receive-maximum', '1'])]
  })
  const numbers = Array.from({ length: 40 }, (_, index) => `${index}`)
  const lines = numbers.flatMap(number => [number, 'x'.repeat(200)])
  await mosquitto.publish(['-t', 'narrow', '-q', '1', '-l'], { input: `${lines.join('\n')}\n` })
  expect(await subscriber.until('39')).toEqual(numbers)
})
