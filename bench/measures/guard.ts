// What strictness costs: the reading and checking of QoS 1 publishes, beside the lenient parser of mqtt-packet that a broker on
// aedes has otherwise. One process, no sockets.
import { parser } from 'mqtt-packet'
import { PacketReader } from '../../broker/mqtt/packet-reader.ts'
import { mqttPublish } from '../load/mqtt-bytes.ts'
import { jsonPayload } from '../load/payload.ts'
import { median, ratioGoal, withRatios, type MeasureOptions, type Result } from '../result.ts'

const PAYLOAD_BYTES = 100
const PACKETS_A_CHUNK = 32
const EACH = 'CPU µs/event'
const PEER = 'mqtt-packet'

type Read = (chunk: Buffer) => void

/** Reading a QoS 1 PUBLISH, with and without the checks. */
export async function measureGuard(options: MeasureOptions): Promise<Result[]> {
  const title = `reading QoS 1 publishes of ${PAYLOAD_BYTES} bytes, ${PACKETS_A_CHUNK} in a chunk`
  options.progress(title)
  const payload = jsonPayload(PAYLOAD_BYTES)
  const chunk = Buffer.concat(
    Array.from({ length: PACKETS_A_CHUNK }, (_, index) =>
      mqttPublish({ topic: 'bench/device-17/temperature', payload, qos: 1, messageId: index + 1 })
    )
  )
  const readers: Record<string, Read> = { [PEER]: lenient(), 'strict reader': strict() }
  const rounds: Record<string, number[]> = {}
  for (let round = 0; round <= options.rounds; round++) {
    for (const [name, read] of Object.entries(readers)) {
      const each = timed(read, chunk, options.seconds)
      if (round > 0) (rounds[name] ??= []).push(each) // the first one warms up
    }
  }
  const found = Object.entries(rounds).map(([name, all]) => ({
    name,
    peer: name === PEER,
    figures: { [EACH]: median(all) },
    rounds: { [EACH]: all }
  }))
  const rows = withRatios(found, EACH)
  const goals = [ratioGoal(rows, { what: 'the strict reader', to: PEER, limit: 1.1 })]
  return [{ measure: 'guard', title, rows, goals }]
}

function timed(read: Read, chunk: Buffer, seconds: number): number {
  const before = process.cpuUsage()
  const endMs = performance.now() + seconds * 1000
  let packets = 0
  while (performance.now() < endMs) {
    for (let time = 0; time < 100; time++) read(chunk)
    packets += 100 * PACKETS_A_CHUNK
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / packets
}

function lenient(): Read {
  const reader = parser({ protocolVersion: 4 })
  reader.on('packet', () => undefined)
  return chunk => void reader.parse(chunk)
}

function strict(): Read {
  const reader = new PacketReader(
    {
      onPacket: () => true,
      onMalformed: ({ message }) => {
        throw new Error(message)
      }
    },
    1024 * 1024
  )
  return chunk => reader.read(chunk)
}
