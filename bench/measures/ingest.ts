// What it costs to take an event in: MQTT QoS 1 and raw TCP, acknowledged when durable, beside Mosquitto's QoS 1, which
// keeps nothing.
import { compare, withRatios, type Contender } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import type { MeasureOptions, Result } from '../result.ts'
import { startMosquitto } from '../servers/mosquitto.ts'
import { startBuilds } from './builds.ts'

const DEVICES = 1000
const PAYLOAD_BYTES = 100
/** Events a second where devices send one now and then, as most do. */
const PACED_PER_SECOND = 10_000
const EACH = 'CPU µs/event'

interface Kind {
  measure: string
  title: string
  protocol: 'mqtt' | 'tcp'
  goal: number
}

interface Shape {
  /** Events of a device that are not acknowledged. */
  inflight: number
  perSecond: number
}

const shapes: readonly Shape[] = [
  { inflight: 4, perSecond: 0 },
  { inflight: 32, perSecond: 0 },
  { inflight: 4, perSecond: PACED_PER_SECOND }
]

/** QoS 1 publishes of 1,000 devices. */
export function measureQos1In(options: MeasureOptions): Promise<Result[]> {
  return measureIn(options, { measure: 'qos1-in', title: 'MQTT QoS 1 in', protocol: 'mqtt', goal: 1 })
}

/** Events of 1,000 devices over raw TCP, beside Mosquitto's QoS 1. */
export function measureTcpIn(options: MeasureOptions): Promise<Result[]> {
  return measureIn(options, { measure: 'tcp-in', title: 'Raw TCP in', protocol: 'tcp', goal: 1 / 3 })
}

async function measureIn(options: MeasureOptions, kind: Kind): Promise<Result[]> {
  const results: Result[] = []
  for (const shape of shapes) {
    const title = `${kind.title}: ${DEVICES} devices, ${PAYLOAD_BYTES} bytes, ${textOf(shape)}`
    options.progress(title)
    await using stack = new AsyncDisposableStack()
    const contenders = await startContenders(options, { ...shape, stack, protocol: kind.protocol })
    const rows = await compare(contenders, { ...options, each: EACH })
    results.push({ measure: kind.measure, title, rows: withRatios(rows, EACH, kind.goal) })
  }
  return results
}

function textOf({ inflight, perSecond }: Shape): string {
  if (perSecond > 0) return `one at a time, ${perSecond} a second in all`
  return `${inflight} in flight each, as fast as it goes`
}

interface ContenderOptions extends Shape {
  stack: AsyncDisposableStack
  protocol: 'mqtt' | 'tcp'
}

async function startContenders(
  options: MeasureOptions,
  { stack, inflight, perSecond, protocol }: ContenderOptions
): Promise<Contender[]> {
  const load = { payloadBytes: PAYLOAD_BYTES, inflight, perSecond }
  const publishers = (port: number) =>
    LoadProcess.create('publishers', { ...load, port, publishers: DEVICES, stamped: false })
  const mosquitto = stack.use(await startMosquitto())
  const contenders: Contender[] = [
    {
      name: 'Mosquitto, QoS 1',
      pid: mosquitto.pid,
      loads: [stack.use(await publishers(mosquitto.mqttPort))]
    }
  ]
  for (const { name, server } of await startBuilds(options, stack)) {
    const devices =
      protocol === 'mqtt'
        ? await publishers(server.mqttPort)
        : await LoadProcess.create('tcp-devices', { ...load, port: server.tcpPort, devices: DEVICES })
    contenders.push({
      name: `${name}, ${protocol === 'mqtt' ? 'QoS 1' : 'raw TCP'}`,
      pid: server.pid,
      loads: [stack.use(devices)]
    })
  }
  return contenders
}
