// What it costs to deliver a notification to one WebSocket of many, beside Socket.IO with a broadcast for each.
import { compare, withRatios, type Contender } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import type { MeasureOptions, Result } from '../result.ts'
import { startSocketIo } from '../servers/socket-io.ts'
import { startBuilds } from './builds.ts'

const SUBSCRIBERS = 1000
const PER_SECOND = 2000
const PAYLOAD_BYTES = 100
const PUBLISHERS = 100
const EACH = 'CPU µs/delivery'

/** 2,000 notifications a second to 1,000 WebSockets. */
export async function measureFeedOut(options: MeasureOptions): Promise<Result[]> {
  const title = `WebSocket out: ${SUBSCRIBERS} subscribers, ${PER_SECOND} events a second offered`
  options.progress(title)
  await using stack = new AsyncDisposableStack()
  const contenders: Contender[] = []
  for (const { name, server } of await startBuilds(options, stack)) {
    const publishers = await LoadProcess.create('publishers', {
      port: server.mqttPort,
      publishers: PUBLISHERS,
      payloadBytes: PAYLOAD_BYTES,
      inflight: 16,
      perSecond: PER_SECOND,
      stamped: false
    })
    stack.use(publishers)
    const subscribers = await LoadProcess.create('web-subscribers', {
      port: server.httpPort,
      subscribers: SUBSCRIBERS,
      dialect: 'tocsin',
      token: server.token
    })
    contenders.push({ name, pid: server.pid, loads: [publishers, stack.use(subscribers)] })
  }
  options.progress('  installing Socket.IO in a temporary folder')
  const socketIo = stack.use(await startSocketIo({ perSecond: PER_SECOND, payloadBytes: PAYLOAD_BYTES }))
  const clients = await LoadProcess.create('web-subscribers', {
    port: socketIo.port,
    subscribers: SUBSCRIBERS,
    dialect: 'socket.io',
    token: ''
  })
  contenders.unshift({ name: 'Socket.IO', pid: socketIo.pid, loads: [stack.use(clients)] })
  const rows = await compare(contenders, { ...options, each: EACH, shown: ['uneven', 'bytesEach'] })
  return [
    {
      measure: 'feed-out',
      title,
      rows: withRatios(rows, EACH, 1 / 30),
      notes: [
        'Tocsin’s CPU time includes taking the events in over MQTT QoS 1 and making them durable; Socket.IO’s server makes its messages itself.',
        'Socket.IO cannot carry what is offered; it sends as much as it can.'
      ]
    }
  ]
}
