// Everybody who can listen to a server, each by its own program or protocol, noting what it was told.
import { connectAsync, type IClientOptions } from 'mqtt'
import { unpack } from 'msgpackr'
import { FeedSubscriber, type Item } from '../helpers/feed-subscriber.ts'
import type { ServerProcess } from '../helpers/server-process.ts'
import { runTool, Tool } from './external-tools.ts'

/** An event as a listener saw it. `device` is undefined where the protocol doesn't tell. */
export interface Heard {
  topic: string
  value: unknown
  device: string | undefined
}

export interface Listener extends AsyncDisposable {
  heard(): Heard[]
}

/** A registered device. */
export interface Credentials {
  device: string
  token: string
}

/** Arguments for mosquitto's clients. */
export function mosquittoArguments(
  port: number,
  version: 'mqttv311' | 'mqttv5',
  { device, token }: Credentials
): string[] {
  return ['-p', `${port}`, '-V', version, '-i', device, '-u', device, '-P', token, '-q', '1']
}

export function listenByMosquitto(args: readonly string[], filter: string): Listener {
  const tool = new Tool('mosquitto_sub', [...args, '-t', filter, '-F', '%t %x'])
  const heard = () =>
    tool.lines.map(line => {
      const [topic = '', hex = ''] = line.split(' ')
      return { topic, value: valueOf(Buffer.from(hex, 'hex')), device: undefined }
    })
  return { heard, [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose]() }
}

export async function listenByMqttJs(
  url: string,
  { device, token }: Credentials,
  options: IClientOptions & { filter: string }
): Promise<Listener> {
  const { filter, ...rest } = options
  const heard: Heard[] = []
  const client = await connectAsync(url, { clientId: device, username: device, password: token, ...rest })
  client.on('message', (topic, payload) => heard.push({ topic, value: valueOf(payload), device: undefined }))
  await client.subscribeAsync(filter, { qos: 1 })
  return { heard: () => heard, [Symbol.asyncDispose]: () => client.endAsync(true) }
}

export async function listenByFeed(
  { url, adminToken: token }: ServerProcess,
  format: 'json' | 'msgpack',
  filter: object
): Promise<Listener> {
  const subscriber = await FeedSubscriber.open({ url, token, format, filter })
  const dispose = () => subscriber[Symbol.asyncDispose]()
  return { heard: () => subscriber.items.map(heardItem), [Symbol.asyncDispose]: dispose }
}

/** Server-sent events by curl. */
export function listenBySse({ url, adminToken }: ServerProcess, query: string): Listener {
  const tool = new Tool('curl', [
    '--silent',
    '--show-error',
    '--no-buffer',
    ...bearer(adminToken),
    '--header',
    'Accept: text/event-stream',
    `${url}/v1/feed?${query}`
  ])
  const heard = () =>
    tool.lines
      .filter((_line, index, lines) => lines[index - 1] === 'event: notification')
      .map(line => heardItem(JSON.parse(line.slice('data: '.length)) as Item))
  return { heard, [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose]() }
}

/** Long-polls by curl, one after another, each from where the last one ended. */
export function listenByLongPoll({ url, adminToken }: ServerProcess, query: string): Listener {
  const heard: Heard[] = []
  const stopping = new AbortController()
  let after = ''
  const polling = (async () => {
    while (!stopping.signal.aborted) {
      const address = `${url}/v1/notifications?${query}&wait=1s${after}`
      const { output } = await runTool('curl', ['--silent', ...bearer(adminToken), address])
      const { items, cursor } = JSON.parse(output) as { items: Item[]; cursor: string }
      heard.push(...items.map(heardItem))
      after = `&after=${cursor}`
    }
  })()
  const dispose = async () => {
    stopping.abort()
    await polling
  }
  return { heard: () => heard, [Symbol.asyncDispose]: dispose }
}

/** curl's arguments that bring a token. */
export function bearer(token: string): string[] {
  return ['--header', `Authorization: Bearer ${token}`]
}

function heardItem({ topic = '', payload, device }: Item): Heard {
  return { topic, value: payload, device }
}

/** JSON as MQTT devices send it, or MessagePack as raw TCP devices do. */
function valueOf(payload: Buffer): unknown {
  return payload[0] === 0x7b ? JSON.parse(payload.toString()) : unpack(payload)
}
