// A thread that sends what is malformed, and dribbles, so that it doesn't disturb those who look how others are served.
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Random } from '../helpers/random.ts'
import { beginningFor, flawedFor, type Port } from './flawed-bytes.ts'

/** What the thread is started with. */
export interface MalformedData {
  ports: Record<Port, number>
  token: string
  seed: number
  /** Malformed packets, frames and requests to send to each port. */
  each: number
  /** Connections at a time, for each port, beside those that the server keeps open until a time limit of its own. */
  atOnce: number
  /** Most of those, for each port. */
  keptMax: number
  /** Connections that dribble, for each port. */
  dribbling: number
}

/** What it tells now and then, and in the end. */
export interface MalformedReport {
  done: boolean
  sent: Record<Port, number>
  connections: number
  /** Connections whose server did not do what it owes, with the first bytes of some. */
  unanswered: number
  examples: string[]
  /** Dribbling connections that the server ended, and how long it kept the one that it kept longest, ms. */
  dribblesEnded: number
  dribbleKeptMs: number
}

/** An answer that takes longer than this is none. */
const PATIENCE_MS = 15_000
/** A connection that is open longer is waited for beside the next one. */
const PROMPT_MS = 100
/** The ports keep step, so that all are sent to until the end: none is further ahead of another than this. */
const LEAD_MAX = 1000
const DRIBBLE_EVERY_MS = 500
const TELL_EVERY_MS = 500
const EXAMPLES_MAX = 5

const { ports, token, seed, each, atOnce, keptMax, dribbling } = workerData as MalformedData
const names = Object.keys(ports) as Port[]
const random = new Random(seed)
const report: MalformedReport = {
  done: false,
  sent: { mqtt: 0, 'mqtt-websocket': 0, tcp: 0, http: 0, feed: 0 },
  connections: 0,
  unanswered: 0,
  examples: [],
  dribblesEnded: 0,
  dribbleKeptMs: 0
}

/** Sends on so many connections at a time until the port had its share, and all of them were judged. */
async function flood(port: Port, first: number): Promise<void> {
  // The last to become free is the next to be used: the server sees no more names than are needed.
  const free = Array.from({ length: atOnce + keptMax }, (_, index) => first + index).toReversed()
  const open = new Set<Promise<void>>()
  const sender = async () => {
    while (report.sent[port] < each) {
      if (leadOf(port) > LEAD_MAX) {
        await delay(PROMPT_MS)
        continue
      }
      const slot = free.pop()
      if (slot === undefined) throw new Error('more senders than slots')
      const judged = judge(port, slot).then(() => {
        free.push(slot)
        open.delete(judged)
      })
      open.add(judged)
      // Each sender needs a slot for its next connection.
      const mayBeLeft = free.length >= atOnce
      await (mayBeLeft ? Promise.race([judged, delay(PROMPT_MS)]) : judged)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, sender))
  await Promise.all(open)
}

/** How much more was sent to this port than to the one that got least. */
function leadOf(port: Port): number {
  return report.sent[port] - Math.min(...names.map(name => report.sent[name]))
}

/** Sends what is flawed on one connection and counts what came of it. */
async function judge(port: Port, slot: number): Promise<void> {
  const { bytes, count, owes } = flawedFor(port, { random, slot, token })
  report.sent[port] += count
  report.connections++
  if (await attempt(ports[port], bytes, { count, owes })) return
  report.unanswered++
  if (report.examples.length < EXAMPLES_MAX)
    report.examples.push(
      `${port}: ${bytes.subarray(0, 400).toString('latin1')} ${bytes.toString('hex').slice(0, 300)}`
    )
}

/** Whether the server did what it owes. */
function attempt(
  port: number,
  bytes: Buffer,
  { count, owes }: { count: number; owes: 'end' | RegExp }
): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const timer = setTimeout(() => end(false), PATIENCE_MS)
    const end = (served: boolean) => {
      clearTimeout(timer)
      socket.removeAllListeners('close')
      socket.on('error', () => {})
      socket.resetAndDestroy() // leaves no port in TIME_WAIT
      resolve(served)
    }
    let answers = 0
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', chunk => {
      if (owes === 'end') return
      answers += chunk.toString('latin1').match(owes)?.length ?? 0
      if (answers >= count) end(true)
    })
    socket.on('end', () => end(true))
    socket.on('error', () => {}) // "close" follows
    socket.on('close', () => end(true))
  })
}

/** Begins what is in order, byte by byte and ever so slowly, and begins anew when the server has had enough. */
function dribble(port: Port, slot: number, stopping: AbortSignal): void {
  if (stopping.aborted) return
  const bytes = beginningFor(port, slot)
  const socket: Socket = connect({ port: ports[port], host: '127.0.0.1', noDelay: true })
  const beganMs = performance.now()
  let at = 0
  const timer = setInterval(() => {
    report.dribbleKeptMs = Math.max(report.dribbleKeptMs, performance.now() - beganMs)
    // Never the last byte: it would be in order.
    if (at < bytes.length - 1) socket.write(bytes.subarray(at, ++at))
  }, DRIBBLE_EVERY_MS)
  stopping.addEventListener('abort', () => socket.destroy())
  socket.on('error', () => {}) // "close" follows
  socket.resume().on('close', () => {
    clearInterval(timer)
    if (stopping.aborted) return
    report.dribblesEnded++
    dribble(port, slot, stopping)
  })
}

const stopping = new AbortController()
const telling = setInterval(() => parentPort?.postMessage(report), TELL_EVERY_MS)
let slots = 0
for (const port of names)
  for (let index = 0; index < dribbling; index++) dribble(port, slots++, stopping.signal)
await Promise.all(names.map((port, index) => flood(port, slots + index * (atOnce + keptMax))))
stopping.abort()
clearInterval(telling)
parentPort?.postMessage({ ...report, done: true })
