// CPU time of the server for one delivered notification: 1,000 WebSocket subscribers in a process of their own that only
// count bytes, 2,000 events a second straight into the log. `node dist/bench/feed-out.js [all|devices]`
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { alertingOptions } from '../cli/alerting-options.ts'
import { schema } from '../config/schema.ts'
import { Alerting } from '../gateway/alerting/alerting.ts'
import { systemClock } from '../gateway/clock.ts'
import { Gateway } from '../gateway/gateway.ts'
import { hashToken, newToken } from '../store/credentials.ts'
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts'

const SUBSCRIBERS = 1000
const PER_SECOND = 2000
const WARM_MS = 3000
const MEASURE_MS = 8000

if (process.send) await runClients(Number(process.argv[2]), process.argv[3] ?? '', process.argv[4] ?? 'all')
else
  for (const kind of process.argv[2] === undefined ? ['all', 'devices'] : [process.argv[2]])
    await measure(kind)

async function measure(kind: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'tocsin-bench-'))
  const registry = new Registry()
  const logger = pino({ level: 'warn' })
  const config = schema.parse({ http: { port: 0 } })
  const store = await openSqliteStore({ ...config.store, dir, now: Date.now, log: logger, registry })
  const token = newToken()
  await store.tokens.put({ id: 'bench', hash: hashToken(token), role: 'viewer', name: 'bench', createdAt: 0 })
  const alerting = await Alerting.load({
    ...(await alertingOptions(config)),
    store,
    clock: systemClock,
    logger,
    registry,
    version: 'bench',
    random: Math.random
  })
  const gateway = new Gateway({
    store,
    alerting,
    settings: config.http,
    now: Date.now,
    logger,
    registry,
    status: () => ({ phase: 'serving' }),
    version: 'bench',
    console: null
  })
  const { port } = await gateway.listen()
  const clients = fork(process.argv[1] ?? '', [String(port), token, kind])
  await once(clients, 'message')

  let sent = 0
  const startedMs = performance.now()
  const payload = Buffer.from(
    '{"temperature":21.5,"humidity":40,"battery":3.61,"sequence":1234567,"ok":true}'
  )
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) * PER_SECOND) / 1000
    for (; sent < due; sent++) {
      const device = `dev-${sent % SUBSCRIBERS}`
      const topic = `site/a/${device}/state`
      store.log.append(
        { kind: 'event', device, severity: 'info', topic, payload, format: 'plain', source: 'mqtt' },
        null
      )
    }
  }, 2)
  await delay(WARM_MS)
  const measuredFromMs = performance.now()
  const before = {
    last: store.log.bounds().last,
    delivered: await delivered(registry),
    cpu: process.cpuUsage(),
    flush: await value(registry, 'tocsin_feed_flush_seconds_total')
  }
  await delay(MEASURE_MS)
  const cpu = process.cpuUsage(before.cpu)
  const seconds = (performance.now() - measuredFromMs) / 1000
  const committed = store.log.bounds().last - before.last
  const count = (await delivered(registry)) - before.delivered
  const flushed = (await value(registry, 'tocsin_feed_flush_seconds_total')) - before.flush
  clearInterval(timer)
  const micros = cpu.user + cpu.system
  console.log(
    `${kind}: ${await value(registry, 'tocsin_feed_slow_leaves_total')} slow leaves, ${Math.round(committed / seconds)} committed/s, ${Math.round(count / seconds)} delivered/s, ${(micros / count).toFixed(3)} µs of CPU each in all ` +
      `(ingest and commit included), ${((flushed * 1e6) / count).toFixed(3)} µs of that in flushes; ` +
      `${(micros / 1e4 / seconds).toFixed(0)} % of a core`
  )
  clients.kill()
  await gateway.close()
  await store.close()
  await rm(dir, { recursive: true, force: true })
}

async function delivered(registry: Registry): Promise<number> {
  return value(registry, 'tocsin_feed_notifications_sent_total')
}

async function value(registry: Registry, name: string): Promise<number> {
  return (await registry.getSingleMetric(name)?.get())?.values[0]?.value ?? 0
}

/** Bare sockets: a WebSocket library's parsing would take the CPU that the server needs on a small machine. */
async function runClients(port: number, token: string, kind: string): Promise<void> {
  for (let index = 0; index < SUBSCRIBERS; index++) {
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `GET /v1/feed HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: tocsin.v1.json\r\nAuthorization: Bearer ${token}\r\n\r\n`
    )
    await once(socket, 'data')
    const filter = kind === 'devices' ? { devices: [`dev-${index}`] } : {}
    socket.write(masked(JSON.stringify({ type: 'subscribe', id: 'feed', filter })))
    await once(socket, 'data')
    socket.on('data', () => {})
    socket.on('error', () => process.exit(0))
    socket.on('close', () => process.exit(0))
  }
  process.send?.('ready')
}

/** A text frame from a client, its mask all zero. Short messages only. */
function masked(text: string): Buffer {
  return Buffer.concat([Buffer.of(0x81, 0x80 | text.length, 0, 0, 0, 0), Buffer.from(text)])
}
