// What it costs to deliver a message to one MQTT subscriber of many.
import { compare, type Contender } from '../compare.ts'
import { LoadProcess } from '../load/load-process.ts'
import { startMosquitto } from '../peers/mosquitto.ts'
import { startPackaged } from '../peers/packaged.ts'
import { unlessMissing } from '../peers/peer.ts'
import { ratioGoal, withRatios, type MeasureOptions, type Result } from '../result.ts'
import { startBuilds } from './builds.ts'

const SUBSCRIBERS = 1000
const PAYLOAD_BYTES = 100
const ALONE = 'one message at a time'
/** At an even rate they come one by one: what a server makes of that is up to it. */
const shapes = [
  { burst: 1, perSecond: 0, text: ALONE },
  { burst: 20, perSecond: 0, text: '20 messages at a time' },
  { burst: 1, perSecond: 80, text: '80 messages a second' },
  { burst: 1, perSecond: 300, text: '300 messages a second' }
]
const EACH = 'CPU µs/delivery'
const whyMissed =
  'the next message comes when everybody has the last, so there is never a second one to share a write to a socket with; that write is most of the cost, for any server.'

/** QoS 0 to 1,000 subscribers of one topic. */
export function measureQos0Out(options: MeasureOptions): Promise<Result[]> {
  return measureOut(options, { measure: 'qos0-out', qos: 0, limit: 0.2 })
}

/** QoS 1 to 1,000 subscribers of one topic, with their acknowledgements. */
export function measureQos1Out(options: MeasureOptions): Promise<Result[]> {
  return measureOut(options, { measure: 'qos1-out', qos: 1, limit: 1 })
}

async function measureOut(
  options: MeasureOptions,
  { measure, qos, limit }: { measure: string; qos: 0 | 1; limit: number }
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
    const missing: string[] = []
    const contenders: Contender[] = []
    const mosquitto = await unlessMissing(missing, startMosquitto)
    if (mosquitto !== null) {
      stack.use(mosquitto)
      const loads = [await fanOut(mosquitto.mqttPort)]
      contenders.push({ name: 'Mosquitto', peer: true, pids: [mosquitto.pid], loads })
    }
    const aedes = await unlessMissing(missing, () => startPackaged('aedes', 'aedes.mjs'))
    if (aedes !== null) {
      stack.use(aedes)
      contenders.push({ name: 'aedes', peer: true, pids: [aedes.pid], loads: [await fanOut(aedes.port)] })
    }
    for (const { name, server } of await startBuilds(options, stack))
      contenders.push({ name, peer: false, pids: [server.pid], loads: [await fanOut(server.mqttPort)] })
    const rows = withRatios(await compare(contenders, { ...options, each: EACH, shown: ['lost'] }), EACH)
    const what = `MQTT QoS ${qos} out, ${text}`
    results.push({
      measure,
      title,
      rows,
      goals: [ratioGoal(rows, { what, to: 'Mosquitto', limit, ...(text === ALONE && { whyMissed }) })],
      missing
    })
  }
  return results
}
