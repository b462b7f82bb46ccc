// What it costs to deliver a message to one MQTT subscriber of many.
import { compare, withRatios, type Contender } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import type { MeasureOptions, Result } from '../result.ts'
import { startMosquitto } from '../servers/mosquitto.ts'
import { startBuilds } from './builds.ts'

const SUBSCRIBERS = 1000
const PAYLOAD_BYTES = 100
/** At an even rate they come one by one: what a server makes of that is up to it. */
const shapes = [
  { burst: 1, perSecond: 0, text: 'one message at a time' },
  { burst: 20, perSecond: 0, text: '20 messages at a time' },
  { burst: 1, perSecond: 80, text: '80 messages a second' },
  { burst: 1, perSecond: 300, text: '300 messages a second' }
]
const EACH = 'CPU µs/delivery'

/** QoS 0 to 1,000 subscribers of one topic. */
export function measureQos0Out(options: MeasureOptions): Promise<Result[]> {
  return measureOut(options, { measure: 'qos0-out', qos: 0, goal: 1 / 5 })
}

/** QoS 1 to 1,000 subscribers of one topic, with their acknowledgements. */
export function measureQos1Out(options: MeasureOptions): Promise<Result[]> {
  return measureOut(options, { measure: 'qos1-out', qos: 1, goal: 1 })
}

async function measureOut(
  options: MeasureOptions,
  { measure, qos, goal }: { measure: string; qos: 0 | 1; goal: number }
): Promise<Result[]> {
  const results: Result[] = []
  for (const { burst, perSecond, text } of shapes) {
    const title = `MQTT QoS ${qos} out: ${SUBSCRIBERS} subscribers, ${PAYLOAD_BYTES} bytes, ${text}`
    options.progress(title)
    await using stack = new AsyncDisposableStack()
    const fanOut = async (port: number) =>
      stack.use(
        await LoadProcess.create('fan-out', {
          port,
          subscribers: SUBSCRIBERS,
          payloadBytes: PAYLOAD_BYTES,
          qos,
          burst,
          perSecond
        })
      )
    const mosquitto = stack.use(await startMosquitto())
    const contenders: Contender[] = [
      { name: 'Mosquitto', pid: mosquitto.pid, loads: [await fanOut(mosquitto.mqttPort)] }
    ]
    for (const { name, server } of await startBuilds(options, stack))
      contenders.push({ name, pid: server.pid, loads: [await fanOut(server.mqttPort)] })
    const rows = await compare(contenders, { ...options, each: EACH, shown: ['lost'] })
    results.push({ measure, title, rows: withRatios(rows, EACH, goal) })
  }
  return results
}
