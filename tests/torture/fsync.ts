// Shows from system calls that every acknowledgement comes after an fsync that covers it, and that the judge would see if not.
import { request, Agent } from 'node:http'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { RawTcpDevice } from '../helpers/raw-tcp-device.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { DurabilityJudge, markOf, type Protocol, type TracedClient, type Verdict } from './durability.ts'
import { countFaults, type Scenario } from './scenario.ts'
import { needStrace, readTrace, Strace, traceArguments, type TraceEvent } from './system-calls.ts'

const EVENTS = 400
const EVENTS_FULL = 5000
/** Events a client has under way. */
const WINDOWS = [1, 8]
const CALLS = [
  'fsync',
  'fdatasync',
  'pwrite64',
  'pwritev',
  'pwritev2',
  'write',
  'writev',
  'sendto',
  'sendmsg'
]

const MAKERS = [mqttSender, exactSender, tcpSender, httpSender]

/** A client that numbers its events; `send` calls back when one is acknowledged. */
interface Sender extends AsyncDisposable {
  client: TracedClient
  window: number
  send(n: number, payload: string, onAck: () => void): void
}

export const fsync: Scenario = {
  name: 'fsync',
  claim:
    'Every acknowledgement (PUBACK, PUBREC, a raw TCP ack, HTTP 200) is written to its socket after an fsync of the write-ahead file has ended that began after the event and the end of its transaction were written: shown from system calls.',
  async run({ rounds, full, say }) {
    needStrace()
    const events = rounds ?? (full ? EVENTS_FULL : EVENTS)
    const { verdict, control: reordered } = await traced(events, {})
    say(`judged: ${JSON.stringify(verdict)}`)
    say(
      `control, the same trace with each fsync's end moved behind the next acknowledgement: ${JSON.stringify(reordered)}`
    )
    const preload = new URL('./without-sync.js', import.meta.url)
    const { verdict: unsynced } = await traced(Math.min(events, EVENTS), {
      nodeArguments: ['--import', preload.href]
    })
    say(`control, a server that does not sync: ${JSON.stringify(unsynced)}`)
    const { acknowledged, early, syncs } = verdict
    const expected = events * WINDOWS.length * MAKERS.length
    const none = (['mqtt', 'tcp', 'http'] as const).filter(protocol => acknowledged[protocol] === 0)
    return {
      figures: {
        'acknowledged over MQTT, QoS 1 and 2': acknowledged.mqtt,
        'acknowledged over raw TCP': acknowledged.tcp,
        'acknowledged over HTTP': acknowledged.http,
        'fsyncs of the write-ahead file': syncs,
        'acknowledged before the fsync': total(early),
        'the same in a trace whose fsyncs were put off, as a control': total(reordered.early),
        'the same of a server that does not sync, as a control': total(unsynced.early)
      },
      faults: [
        ...countFaults({ 'acknowledged before the fsync': total(early) }),
        ...(total(acknowledged) === expected
          ? []
          : [`the trace shows ${total(acknowledged)} of ${expected} acknowledgements`]),
        ...none.map(protocol => `nothing was acknowledged over ${protocol}`),
        ...(total(reordered.early) === 0 ? ['the control with fsyncs put off was not noticed'] : []),
        ...(total(unsynced.early) === 0 ? ['the control without fsyncs was not noticed'] : [])
      ]
    }
  }
}

function total(counts: Record<Protocol, number>): number {
  return counts.mqtt + counts.tcp + counts.http
}

/** Loads a server while it is traced; resolves with what the trace shows, and what it would show with late fsyncs. */
async function traced(
  events: number,
  options: { nodeArguments?: readonly string[] }
): Promise<{ verdict: Verdict; control: Verdict }> {
  await using folder = await temporaryFolder()
  await using server = await ServerProcess.start(join(folder.path, 'data'), {}, options)
  await using cleanup = new AsyncDisposableStack()
  const senders: Sender[] = []
  for (const [index, window] of WINDOWS.entries())
    for (const make of MAKERS) senders.push(cleanup.use(await make(server, { index, window })))
  const file = join(folder.path, 'trace')
  const strace = await Strace.attach(server.pid, traceArguments(file, CALLS))
  await Promise.all(senders.map(sender => sendAll(sender, events)))
  await strace.detach()
  const clients = senders.map(({ client }) => client)
  return {
    verdict: await judge(file, clients, each => each),
    control: await judge(file, clients, putOffSyncs())
  }
}

async function judge(
  file: string,
  clients: readonly TracedClient[],
  change: (event: TraceEvent) => TraceEvent | readonly TraceEvent[]
): Promise<Verdict> {
  const judging = new DurabilityJudge(clients)
  for await (const event of readTrace(file)) for (const each of [change(event)].flat()) judging.take(each)
  return judging.verdict
}

/** Moves the end of each fsync behind the next write to a socket. */
function putOffSyncs(): (event: TraceEvent) => readonly TraceEvent[] {
  let held: TraceEvent[] = []
  return event => {
    if (event.at === 'end' && event.call.name.endsWith('sync')) {
      held.push(event)
      return []
    }
    if (event.at !== 'begin' || !event.call.descriptor.startsWith('TCP')) return [event]
    const released = held
    held = []
    return [event, ...released]
  }
}

/** Sends so many events, with as many under way as the window allows; resolves when all are acknowledged. */
async function sendAll({ client, window, send }: Sender, count: number): Promise<void> {
  let [sent, acknowledged] = [0, 0]
  const pump = () => {
    while (sent < count && sent - acknowledged < window) {
      const mark = markOf(client.name, ++sent)
      send(sent, `${mark}${mark}`, () => {
        acknowledged++
        pump()
      })
    }
  }
  pump()
  await eventually(() => acknowledged >= count, {
    what: `acknowledgements of ${client.name}`,
    timeoutMs: 300_000
  })
}

interface SenderOptions {
  index: number
  window: number
}

async function mqttSender({ ports }: ServerProcess, { index, window }: SenderOptions): Promise<Sender> {
  const name = `mqtt${index}`
  const connection = await RawMqttClient.connect({ port: ports.mqtt, clientId: name })
  return {
    client: { name, protocol: 'mqtt', localPort: connection.socket.localPort ?? 0 },
    window,
    send: (_n, payload, onAck) => connection.publish(`load/${name}`, payload, onAck),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]()
  }
}

async function exactSender({ ports }: ServerProcess, { index, window }: SenderOptions): Promise<Sender> {
  const name = `exact${index}`
  const connection = await RawMqttClient.connect({ port: ports.mqtt, clientId: name })
  return {
    client: { name, protocol: 'mqtt', localPort: connection.socket.localPort ?? 0 },
    window,
    send(messageId, payload, onAck) {
      const topic = `load/${name}`
      connection.exchange(
        { cmd: 'publish', topic, payload, qos: 2, dup: false, retain: false, messageId },
        { answer: 'pubrec', messageId },
        () => connection.exchange({ cmd: 'pubrel', messageId }, { answer: 'pubcomp', messageId }, onAck)
      )
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]()
  }
}

async function tcpSender({ ports }: ServerProcess, { index, window }: SenderOptions): Promise<Sender> {
  const name = `tcp${index}`
  const waiting: (() => void)[] = []
  let acknowledged = 0
  const onAck = (seq: number) => {
    for (; acknowledged < seq; acknowledged++) waiting.shift()?.()
  }
  const device = await RawTcpDevice.connect({ port: ports.tcp, device: name, stream: 'load', onAck })
  return {
    client: { name, protocol: 'tcp', localPort: device.socket.localPort ?? 0 },
    window,
    send(n, payload, onDone) {
      waiting.push(onDone)
      device.send(n, `load/${name}`, payload)
    },
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose]()
  }
}

/** One request after the other on one connection, whatever the window. */
async function httpSender({ ports, adminToken }: ServerProcess, { index }: SenderOptions): Promise<Sender> {
  const name = `http${index}`
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const client: TracedClient = { name, protocol: 'http', localPort: 0 }
  const ask = (method: string, path: string, body: string | null, onAnswer: (status: number) => void) => {
    const asked = request({
      host: '127.0.0.1',
      port: ports.http,
      path,
      method,
      agent,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    })
    asked.on('socket', socket => {
      client.localPort = socket.localPort ?? client.localPort
    })
    asked.on('error', error => console.error(`${name}: ${error.message}`))
    asked.on('response', response => response.resume().on('end', () => onAnswer(response.statusCode ?? 0)))
    asked.end(body ?? undefined)
  }
  // The first opens the connection, before the trace begins.
  await new Promise(resolve => ask('GET', '/healthz', null, resolve))
  return {
    client,
    window: 1,
    send(_n, payload, onAck) {
      const event = JSON.stringify({ device: name, topic: `load/${name}`, payload })
      ask('POST', '/v1/events', event, status => {
        if (status === 200) onAck()
        else console.error(`${name}: HTTP ${status}`)
      })
    },
    [Symbol.asyncDispose]: () => Promise.resolve(agent.destroy())
  }
}
