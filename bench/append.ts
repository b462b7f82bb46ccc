// What appending costs: CPU time of the event loop and of the database threads for each event, at full speed.
// node dist/bench/append.js [events] [payload bytes] [devices]
import { rm, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts'

const MIB = 1024 ** 2
const [events = 1_000_000, payloadBytes = 100, deviceCount = 1000] = process.argv.slice(2).map(Number)
const dir = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'tocsin-append-'))
const store = await openSqliteStore({
  dir,
  log: pino({ level: 'warn' }),
  registry: new Registry(),
  commitIntervalMs: 2,
  waitingBytesMax: 16 * MIB,
  recentBytesMax: 32 * MIB,
  retentionAgeMs: 0,
  retentionBytesMax: 0,
  maintenanceMs: 3_600_000,
  now: Date.now
})
const { log } = store
const devices = Array.from({ length: deviceCount }, (_, index) => `device-${index}`)
const payload = Buffer.alloc(payloadBytes, 'x')

/** Appends as fast as the log takes it; resolves when all is durable. */
function appendAll(count: number, withStreams: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0
    let durable = 0
    const onDurable = (error: Error | null) => {
      if (error) reject(error)
      else if (++durable === count) resolve()
    }
    const fill = () => {
      // As sockets do: a few hundred in a turn of the event loop.
      for (let turn = 0; turn < 512 && sent < count && !log.full(); turn++, sent++) {
        const device = devices[sent % devices.length] ?? ''
        log.append(
          {
            kind: 'event',
            device,
            severity: 'info',
            topic: `sensors/${device}/temperature`,
            payload,
            format: 'plain',
            source: 'tcp'
          },
          onDurable,
          withStreams ? { stream: { name: 'main', seq: sent + 1 } } : undefined
        )
      }
      if (sent < count) log.whenRoom(() => setImmediate(fill))
    }
    fill()
  })
}

await appendAll(50_000, true)
for (const withStreams of [false, true]) {
  const wallStart = performance.now()
  const cpuStart = process.cpuUsage()
  const mainStart = process.threadCpuUsage()
  await appendAll(events, withStreams)
  const wallMs = performance.now() - wallStart
  const all = process.cpuUsage(cpuStart)
  const main = process.threadCpuUsage(mainStart)
  const microsecondsEach = (total: number) => Number((total / events).toFixed(3))
  console.log({
    streams: withStreams,
    events,
    mainMicroseconds: microsecondsEach(main.user + main.system),
    processMicroseconds: microsecondsEach(all.user + all.system),
    perSecond: Math.round(events / (wallMs / 1000))
  })
}
await store.close()
await rm(dir, { recursive: true })
