// Subscribers that come back, or read on, after retention has passed their place: what they are told of it.
import { eventually } from '../helpers/eventually.ts'
import { FeedSubscriber, type Item } from '../helpers/feed-subscriber.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { ServerProcess } from '../helpers/server-process.ts'

const EVENT_BYTES = 10_000
const RETENTION_BYTES = 2 * 1024 ** 2
/** Several times what is kept. */
const EVENTS = 1500
const settings = {
  'store.retentionBytesMax': `${RETENTION_BYTES}`,
  'store.maintenanceMs': '100ms',
  'store.recentBytesMax': '0',
  'http.unsentBytesMax': '65536'
}

export interface PastRetentionReport {
  /** Events that retention took before the one who was away came back. */
  removed: number
  gapsAway: number
  gapsFrozen: number
  /** What was not as it must be, in sentences. */
  faults: string[]
}

interface Seen {
  name: string
  /** What it had seen last before. */
  before: string
  items: Item[]
  feed: FeedSubscriber
}

/** One subscriber leaves and comes back with its cursor; one stops reading and reads again. */
export async function passRetention(dir: string): Promise<PastRetentionReport> {
  await using server = await ServerProcess.start(dir, settings)
  await using sender = await RawMqttClient.connect({ port: server.ports.mqtt, clientId: 'filler' })
  let acknowledged = 0
  const send = async (count: number) => {
    const goal = acknowledged + count
    for (let index = 0; index < count; index++)
      sender.publish('filling', 'x'.repeat(EVENT_BYTES), () => acknowledged++)
    await eventually(() => acknowledged >= goal, { what: 'acknowledgements', timeoutMs: 60_000 })
  }
  const { url, adminToken: token } = server
  const filter = { kinds: ['event'] }
  await send(10)
  const away = await FeedSubscriber.open({ url, token, filter, after: 'earliest' })
  await using frozen = await FeedSubscriber.open({ url, token, filter, after: 'earliest' })
  await eventually(() => away.items.length === 10 && frozen.items.length === 10, { what: 'the first events' })
  const before = away.items.at(-1)?.cursor ?? ''
  await away[Symbol.asyncDispose]()
  frozen.socket.pause()
  await send(EVENTS)
  await eventually(async () => (await server.metric('tocsin_log_first_sequence')) > EVENTS / 2, {
    what: 'retention'
  })
  const removed = await server.metric('tocsin_log_first_sequence')

  await using back = await FeedSubscriber.open({ url, token, filter, after: before })
  frozen.socket.resume()
  const faults: string[] = []
  if (back.recovered !== false) faults.push(`who was away is told recovered: ${back.recovered}`)
  await send(10)
  const newest = await server.ask('/v1/notifications?kinds=event&limit=1&before=latest')
  const last = (newest.body as { items: Item[] }).items[0]?.cursor
  const subscribers: Seen[] = [
    { name: 'who was away', before, items: back.items, feed: back },
    { name: 'who was frozen', before, items: frozen.items.slice(10), feed: frozen }
  ]
  for (const seen of subscribers) {
    const items = () => (seen.feed === frozen ? frozen.items.slice(10) : seen.items)
    await eventually(() => items().at(-1)?.cursor === last, {
      what: `the end, for ${seen.name}`,
      timeoutMs: 30_000
    }).catch((error: unknown) => faults.push(String(error)))
    faults.push(...faultsOf({ ...seen, items: items() }))
  }
  return { removed, gapsAway: back.gaps.length, gapsFrozen: frozen.gaps.length, faults }
}

/** Every sequence after `before` is an item, or in a gap, or of another kind; both ends of each gap are where items end and begin. */
function faultsOf({ name, before, items, feed }: Seen): string[] {
  const faults: string[] = []
  const { gaps } = feed
  if (gaps.length === 0) faults.push(`${name} is told no gap`)
  const seqs = items.map(({ cursor }) => seqOf(cursor))
  const [from, to] = [gaps[0]?.from ?? before, gaps.at(-1)?.to ?? before]
  if (gaps.length === 1 && name === 'who was away' && from !== before)
    faults.push(`the gap begins at ${from}, not at the cursor ${before}`)
  const inGap = (seq: number) => gaps.some(gap => seq > seqOf(gap.from) && seq <= seqOf(gap.to))
  const shown = seqs.filter(inGap).length
  if (shown > 0) faults.push(`${shown} events that a gap says are missing were sent to ${name}`)
  let expected = seqOf(before) + 1
  for (const seq of seqs) {
    for (; expected < seq; expected++)
      if (!inGap(expected)) {
        faults.push(`${name} was neither sent nor told the gap of sequence ${expected}`)
        return faults
      }
    expected = seq + 1
  }
  const firstAfter = seqs.find(seq => seq > seqOf(to))
  if (firstAfter !== seqOf(to) + 1)
    faults.push(`after the gap that ends at ${seqOf(to)}, ${name} was sent ${firstAfter}`)
  return faults
}

function seqOf(cursor: string): number {
  return Number.parseInt(cursor.slice(cursor.indexOf('-') + 1), 36)
}
