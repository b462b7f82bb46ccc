// What it costs to take an event in: MQTT QoS 1 and raw TCP, acknowledged when durable, beside the QoS 1 of brokers that
// keep nothing.
import { compare, type Contender } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import { startMosquitto } from '../peers/mosquitto.ts'
import { startPackaged } from '../peers/packaged.ts'
import { unlessMissing } from '../peers/peer.ts'
import { ratioGoal, withRatios, type MeasureOptions, type Result } from '../result.ts'
import { startBuilds } from './builds.ts'

const DEVICES = 1000
const PAYLOAD_BYTES = 100
/** Events a second where devices send one now and then, as most do. */
const PACED_PER_SECOND = 10_000
const EACH = 'CPU µs/event'
const MOSQUITTO = 'Mosquitto, QoS 1'

interface Kind {
  measure: string
  title: string
  protocol: 'mqtt' | 'tcp'
  /** Of the cost, as a multiple of Mosquitto's. */
  limit: number
}

interface Shape {
  /** Events of a device that are not acknowledged. */
  inflight: number
  perSecond: number
  whyMissed: string
}

const shapes: readonly Shape[] = [
  {
    inflight: 4,
    perSecond: 0,
    whyMissed:
      'reading from and writing to a socket through Node.js costs more than the events that share it.'
  },
  {
    inflight: 32,
    perSecond: 0,
    whyMissed: 'encoding and committing an event is what is left, once sockets cost next to nothing an event.'
  },
  {
    inflight: 4,
    perSecond: PACED_PER_SECOND,
    whyMissed:
      'every event has a read and an acknowledgement of its own, which through Node.js’s sockets costs about twice what it costs a server in C; and a commit with its fsync is shared by only some twenty events.'
  }
]

/** QoS 1 publishes of 1,000 devices. */
export function measureQos1In(options: MeasureOptions): Promise<Result[]> {
  return measureIn(options, { measure: 'qos1-in', title: 'MQTT QoS 1 in', protocol: 'mqtt', limit: 1 })
}

/** Events of 1,000 devices over raw TCP, beside Mosquitto's QoS 1. */
export function measureTcpIn(options: MeasureOptions): Promise<Result[]> {
  return measureIn(options, { measure: 'tcp-in', title: 'Raw TCP in', protocol: 'tcp', limit: 0.25 })
}

async function measureIn(options: MeasureOptions, kind: Kind): Promise<Result[]> {
  const results: Result[] = []
  for (const shape of shapes) {
    const title = `${kind.title}: ${DEVICES} devices, ${PAYLOAD_BYTES} bytes, ${textOf(shape)}`
    options.progress(title)
    await using stack = new AsyncDisposableStack()
    const missing: string[] = []
    const contenders = await startContenders(options, { ...shape, stack, missing, protocol: kind.protocol })
    const rows = withRatios(await compare(contenders, { ...options, each: EACH }), EACH)
    const what = `${kind.title}, ${textOf(shape)}`
    const goals = [ratioGoal(rows, { what, to: MOSQUITTO, limit: kind.limit, whyMissed: shape.whyMissed })]
    results.push({ measure: kind.measure, title, rows, goals, missing })
  }
  return results
}

function textOf({ inflight, perSecond }: Shape): string {
  if (perSecond > 0) return `one at a time, ${perSecond.toLocaleString('en')} a second in all`
  return `${inflight} in flight each, as fast as it goes`
}

interface ContenderOptions extends Shape {
  stack: AsyncDisposableStack
  missing: string[]
  protocol: 'mqtt' | 'tcp'
}

async function startContenders(
  options: MeasureOptions,
  { stack, missing, inflight, perSecond, protocol }: ContenderOptions
): Promise<Contender[]> {
  const load = { payloadBytes: PAYLOAD_BYTES, inflight, perSecond }
  const publishers = async (port: number) =>
    stack.use(await LoadProcess.create('publishers', { ...load, port, publishers: DEVICES, stamped: false }))
  const contenders: Contender[] = []
  const mosquitto = await unlessMissing(missing, startMosquitto)
  if (mosquitto !== null) {
    stack.use(mosquitto)
    const loads = [await publishers(mosquitto.mqttPort)]
    contenders.push({ name: MOSQUITTO, peer: true, pids: [mosquitto.pid], loads })
  }
  const aedes = await unlessMissing(missing, () => startPackaged('aedes', 'aedes.mjs'))
  if (aedes !== null) {
    stack.use(aedes)
    contenders.push({
      name: 'aedes, QoS 1',
      peer: true,
      pids: [aedes.pid],
      loads: [await publishers(aedes.port)]
    })
  }
  for (const { name, server } of await startBuilds(options, stack)) {
    const devices =
      protocol === 'mqtt'
        ? await publishers(server.mqttPort)
        : stack.use(
            await LoadProcess.create('tcp-devices', { ...load, port: server.tcpPort, devices: DEVICES })
          )
    const how = protocol === 'mqtt' ? 'QoS 1' : 'raw TCP'
    contenders.push({ name: `${name}, ${how}`, peer: false, pids: [server.pid], loads: [devices] })
  }
  return contenders
}
