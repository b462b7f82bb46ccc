// A thread with the subscribers that stop reading on command: a WebSocket, and MQTT at QoS 0 and at QoS 1. They have a
// thread of their own so that their catching up doesn't disturb those whose latency is measured.
import { parentPort, workerData } from 'node:worker_threads'
import { FeedSubscriber, type Item } from '../helpers/feed-subscriber.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { eventOf, type TickEvent } from './slow-events.ts'

/** What the thread is started with. */
export interface SlowReadersData {
  url: string
  token: string
  mqttPort: number
}

/** What it is told; it answers each with its reports. */
export type SlowReadersRequest = 'freeze' | 'thaw' | 'report'

/** What one subscriber has received of one topic; numbers begin with 1 and grow by 1. */
export interface Received {
  first: number
  last: number
  count: number
  /** Events that came after a later one, or twice. */
  disordered: number
}

export interface ReaderReport {
  name: string
  topics: Record<string, Received>
  gaps: number
}

interface Reader {
  pause(): void
  resume(): void
  report(): ReaderReport
}

const TOPICS = ['tick', 'bulk']

class Counts {
  readonly topics: Record<string, Received> = {}

  see({ n }: TickEvent, topic: string): void {
    const seen = (this.topics[topic] ??= { first: n, last: n - 1, count: 0, disordered: 0 })
    if (n <= seen.last) seen.disordered++
    seen.last = Math.max(seen.last, n)
    seen.count++
  }
}

async function readFeed({ url, token }: SlowReadersData): Promise<Reader> {
  const counts = new Counts()
  const onItems = (items: readonly Item[]) => {
    for (const { topic = '', payload } of items) counts.see(payload as TickEvent, topic)
  }
  const feed = await FeedSubscriber.open({ url, token, filter: { topics: TOPICS }, onItems })
  return {
    pause: () => feed.socket.pause(),
    resume: () => feed.socket.resume(),
    report: () => ({ name: 'WebSocket', topics: counts.topics, gaps: feed.gaps.length })
  }
}

async function readMqtt({ mqttPort }: SlowReadersData, qos: 0 | 1): Promise<Reader> {
  const counts = new Counts()
  const client = await RawMqttClient.connect({
    port: mqttPort,
    clientId: `slow-${qos}`,
    onMessage: ({ topic, payload }) => counts.see(eventOf(payload as Buffer), topic)
  })
  for (const topic of TOPICS) await client.subscribe(topic, qos)
  return {
    pause: () => client.socket.pause(),
    resume: () => client.socket.resume(),
    report: () => ({ name: `MQTT QoS ${qos}`, topics: counts.topics, gaps: 0 })
  }
}

const data = workerData as SlowReadersData
const readers = await Promise.all([readFeed(data), readMqtt(data, 0), readMqtt(data, 1)])
const answer = () => parentPort?.postMessage(readers.map(reader => reader.report()))
parentPort?.on('message', (request: SlowReadersRequest) => {
  for (const reader of readers) {
    if (request === 'freeze') reader.pause()
    if (request === 'thaw') reader.resume()
  }
  answer()
})
answer()
