// What it costs to deliver a notification to one WebSocket of many, beside what others have for it, and how many a core
// delivers.
import { compare, type Contender } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import type { WebSubscribersOptions } from '../load/web-subscribers.ts'
import { startMosquitto } from '../peers/mosquitto.ts'
import { startNodeRed } from '../peers/node-red.ts'
import { startPackaged, type Packaged } from '../peers/packaged.ts'
import { unlessMissing } from '../peers/peer.ts'
import { ratioGoal, withRatios, type Goal, type MeasureOptions, type Result, type Row } from '../result.ts'
import { startBuilds } from './builds.ts'

const SUBSCRIBERS = 1000
const PER_SECOND = 2000
/** Node-RED keeps what it can't send in memory, without limit: it is offered what it can carry. */
const NODE_RED_PER_SECOND = 20
/** Rates at which Tocsin is offered more than it can carry, sooner or later. */
const RISING_PER_SECOND = [2000, 4000, 8000]
const PAYLOAD_BYTES = 100
const PUBLISHERS = 100
const EACH = 'CPU µs/delivery'
const ROOMS = 'Socket.IO, rooms'
const UNHEARD = 'Tocsin, nobody subscribed'
/** What a subscriber wants: the events of some devices. */
const filterShapes = [
  {
    wants: 100,
    limit: 0.3,
    whyMissed:
      'encoding a batch and writing it to a socket, for each filter at each flush, is half of the cost; taking the events in and making them durable, which Socket.IO’s server does not do, is the other.'
  },
  {
    wants: 1,
    limit: 0.3,
    whyMissed:
      'each event goes to one subscriber, so there is nothing to share: a write to a socket is most of what a delivery costs either server, and Tocsin reads the event from another socket, makes it durable and acknowledges it besides. What that costs alone is the row with nobody subscribed.'
  }
]
const WHY_ONE_FILTER_MISSED =
  'two thirds of the event loop’s time are writes of frames to sockets, some 25 a second to each subscriber: a frame is encoded once for all, and the system copies it for each.'
const IN_PROCESS =
  'Tocsin’s CPU time includes taking the events in over MQTT QoS 1 and making them durable; Socket.IO’s and ws’s servers make their messages themselves.'

interface Audience {
  stack: AsyncDisposableStack
  missing: string[]
  wants: WebSubscribersOptions['wants']
}

/** 2,000 notifications a second to 1,000 WebSockets that all want everything. */
export async function measureFeedOut(options: MeasureOptions): Promise<Result[]> {
  const title = `WebSocket out: ${SUBSCRIBERS} subscribers with one filter, ${PER_SECOND} events a second offered`
  options.progress(title)
  await using stack = new AsyncDisposableStack()
  const missing: string[] = []
  const audience: Audience = { stack, missing, wants: 'everything' }
  const contenders = [
    ...(await packaged('socket.io', ['socket-io.mjs', 'all'], audience)),
    ...(await packaged('ws', ['ws.mjs'], audience)),
    ...(await nodeRed(audience)),
    ...(await tocsin(options, { ...audience, perSecond: PER_SECOND, publishers: PUBLISHERS }))
  ]
  const found = await compare(contenders, { ...options, each: EACH, shown: ['uneven', 'bytesEach'] })
  const rows = withRatios(found, EACH)
  const what = 'WebSocket out, one filter'
  return [
    {
      measure: 'feed-out',
      title,
      rows,
      goals: [ratioGoal(rows, { what, to: 'Socket.IO', limit: 0.03, whyMissed: WHY_ONE_FILTER_MISSED })],
      notes: [
        IN_PROCESS,
        'Socket.IO and ws cannot carry what is offered; they send as much as they can.',
        `Node-RED is offered ${NODE_RED_PER_SECOND} events a second; its CPU time includes that of its broker, Mosquitto.`
      ],
      missing
    }
  ]
}

/** 2,000 notifications a second to 1,000 WebSockets with as many filters: each wants those of some devices. */
export async function measureFeedFilters(options: MeasureOptions): Promise<Result[]> {
  const results: Result[] = []
  for (const { wants, limit, whyMissed } of filterShapes) {
    const shape = wants === 1 ? 'one device each' : `${wants} devices each, every event for ${wants} of them`
    const filters = `${SUBSCRIBERS} different filters, ${shape}`
    const title = `WebSocket out: ${SUBSCRIBERS} subscribers with ${filters}, ${PER_SECOND} events a second`
    options.progress(title)
    await using stack = new AsyncDisposableStack()
    const missing: string[] = []
    const audience: Audience = { stack, missing, wants }
    const contenders = [
      ...(await packaged('socket.io', ['socket-io.mjs', 'rooms'], audience)),
      ...(await tocsin(options, { ...audience, perSecond: PER_SECOND, publishers: SUBSCRIBERS })),
      ...(wants === 1 ? [await unheard(options, stack)] : [])
    ]
    const rows = withRatios(await compare(contenders, { ...options, each: EACH, shown: ['bytesEach'] }), EACH)
    const what = `WebSocket out, ${filters}`
    const goals = [ratioGoal(rows, { what, to: ROOMS, limit, whyMissed })]
    if (wants === 1) goals.push(deliveringGoal(rows, { what: `${what}, without taking them in`, limit }))
    results.push({ measure: 'feed-filters', title, rows, goals, notes: [IN_PROCESS], missing })
  }
  return results
}

/** The cost of delivering alone, for each event goes to one subscriber: what is more than without subscribers. */
function deliveringGoal(rows: readonly Row[], { what, limit }: { what: string; limit: number }): Goal {
  const costOf = (name: string) => rows.find(row => row.name === name)?.figures[EACH] ?? Number.NaN
  const figure = (costOf('Tocsin') - costOf(UNHEARD)) / costOf(ROOMS)
  return { what, sense: 'at most', limit, unit: `× ${ROOMS}`, figure }
}

/** What one core delivers at most: more events a second are offered, each to 1,000 WebSockets. */
export async function measureDeliveries(options: MeasureOptions): Promise<Result[]> {
  const title = `WebSocket out: what one core delivers to ${SUBSCRIBERS} subscribers with one filter`
  options.progress(title)
  await using stack = new AsyncDisposableStack()
  const audience: Audience = { stack, missing: [], wants: 'everything' }
  const contenders: Contender[] = []
  for (const perSecond of RISING_PER_SECOND)
    contenders.push(...(await tocsin(options, { ...audience, perSecond, publishers: PUBLISHERS })))
  const rows = await compare(contenders, { ...options, each: EACH, shown: ['uneven', 'bytesEach'] })
  const figure = Math.max(...rows.map(({ figures }) => figures['per second'] ?? Number.NaN))
  return [
    {
      measure: 'deliveries',
      title,
      rows,
      goals: [{ what: 'deliveries of one core', sense: 'at least', limit: 2_000_000, unit: '/s', figure }],
      notes: ['The subscribers share the other core: they may be what limits the rate.']
    }
  ]
}

async function packaged(
  name: Packaged,
  [program, ...more]: readonly [string, ...string[]],
  { stack, missing, wants }: Audience
): Promise<Contender[]> {
  const args = [PER_SECOND, PAYLOAD_BYTES, ...more, SUBSCRIBERS]
  const server = await unlessMissing(missing, () => startPackaged(name, program, args))
  if (server === null) return []
  stack.use(server)
  const dialect = name === 'ws' ? 'ws' : 'socket.io'
  const options = { port: server.port, subscribers: SUBSCRIBERS, dialect, wants, token: '' } as const
  const clients = stack.use(await LoadProcess.create('web-subscribers', options))
  const title = name === 'ws' ? 'ws, a loop' : wants === 'everything' ? 'Socket.IO' : ROOMS
  return [{ name: title, peer: true, pids: [server.pid], loads: [clients] }]
}

async function nodeRed({ stack, missing, wants }: Audience): Promise<Contender[]> {
  const mosquitto = await unlessMissing(missing, startMosquitto)
  if (mosquitto === null) return []
  stack.use(mosquitto)
  const server = await unlessMissing(missing, () => startNodeRed(mosquitto.mqttPort))
  if (server === null) return []
  stack.use(server)
  const publishers = await publishing(mosquitto.mqttPort, NODE_RED_PER_SECOND, PUBLISHERS)
  stack.use(publishers)
  const clients = await LoadProcess.create('web-subscribers', {
    port: server.httpPort,
    subscribers: SUBSCRIBERS,
    dialect: 'node-red',
    wants,
    token: ''
  })
  const pids = [server.pid, mosquitto.pid]
  return [{ name: 'Node-RED', peer: true, pids, loads: [publishers, stack.use(clients)] }]
}

async function tocsin(
  options: MeasureOptions,
  { stack, wants, perSecond, publishers }: Audience & { perSecond: number; publishers: number }
): Promise<Contender[]> {
  const contenders: Contender[] = []
  for (const { name, server } of await startBuilds(options, stack)) {
    const devices = stack.use(await publishing(server.mqttPort, perSecond, publishers))
    const { httpPort: port, token } = server
    const dialect = { dialect: 'tocsin', subscribers: SUBSCRIBERS, wants } as const
    const clients = stack.use(await LoadProcess.create('web-subscribers', { port, token, ...dialect }))
    const title = perSecond === PER_SECOND ? name : `${name}, ${perSecond.toLocaleString('en')} events/s`
    contenders.push({ name: title, peer: false, pids: [server.pid], loads: [devices, clients] })
  }
  return contenders
}

/** Tocsin with the same events and nobody who wants them: what taking them in costs. */
async function unheard(options: MeasureOptions, stack: AsyncDisposableStack): Promise<Contender> {
  const [build] = await startBuilds({ ...options, against: null }, stack)
  if (build === undefined) throw new Error('There is no build')
  const devices = stack.use(await publishing(build.server.mqttPort, PER_SECOND, SUBSCRIBERS))
  return { name: UNHEARD, peer: false, pids: [build.server.pid], loads: [devices] }
}

function publishing(port: number, perSecond: number, publishers: number): Promise<LoadProcess> {
  return LoadProcess.create('publishers', {
    port,
    publishers,
    payloadBytes: PAYLOAD_BYTES,
    inflight: 16,
    perSecond,
    stamped: false
  })
}
