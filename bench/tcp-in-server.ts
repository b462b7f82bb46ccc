// The server of tcp-in.ts, in a process of its own: raw TCP over a store in a folder that is removed at the end.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Authenticator } from '../broker/authenticate.ts'
import { Authorizer } from '../broker/authorize.ts'
import { Ingest } from '../broker/ingest.ts'
import { ConnectionLimits } from '../broker/limits.ts'
import { Presence } from '../broker/presence.ts'
import { TcpServer } from '../broker/tcp/server.ts'
import { schema } from '../config/schema.ts'
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts'

const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'tocsin-bench-'))
const config = schema.parse({
  store: { dir },
  tcp: { port: 0, eventsPerSecondMax: 0 },
  limits: { connectsPerSecondMax: 0 }
})
const logger = pino({ level: 'warn' })
const registry = new Registry()
const store = await openSqliteStore({ ...config.store, now: Date.now, log: logger, registry })
const { log, tables } = store
const authorizer = new Authorizer(config.devices.access)
const presence = await Presence.load({ log, tables, ...config.devices, now: Date.now, registry })
const server = new TcpServer({
  settings: config.tcp,
  log,
  ingest: new Ingest({ log, authorizer, registry }),
  authenticator: new Authenticator({ devices: store.devices, anonymous: true }),
  presence,
  limits: new ConnectionLimits({ ...config.limits, logger, registry }),
  logger,
  registry
})
const { port } = await server.listen()
process.send?.(port)

process.on('message', message => void (message === 'stop' ? stop() : tell()))

function tell(): void {
  const { user, system } = process.cpuUsage()
  const usage = { cpuUs: user + system, rssBytes: process.memoryUsage.rss(), events: log.bounds().last }
  process.send?.(usage)
}

async function stop(): Promise<void> {
  presence.stop()
  await server.close()
  await store.close()
  rmSync(dir, { recursive: true })
  process.disconnect()
}
