// What happens to everything that waits for a time when the clock is set.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'mqtt'
import { eventually } from '../helpers/eventually.ts'
import { readEvents, readNotifications } from '../helpers/history.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import type { ServerProcess } from '../helpers/server-process.ts'
import { SettableClock, startClocked } from './clocked-server.ts'
import { NotRunnable } from './scenario.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** How soon what has become due must happen. */
const SOON_MS = 30_000
/** Retention runs ten times within it. */
const ROUNDS_OF_RETENTION_MS = 2000

const alertingFile = `
rules:
  - { name: quiet, topics: ['timers/#'], absent: 10m, severity: major, title: '{device} says nothing' }
`

/** One thing that was tried. */
export type Check = { what: string; holds: 'yes' | 'no'; seconds: number }

export async function checkTimers(dir: string): Promise<Check[]> {
  const clock = await SettableClock.inFolder(dir)
  const file = join(dir, 'alerting.yaml')
  await writeFile(file, alertingFile)
  await using server = await startClocked(join(dir, 'data'), clock, {
    'alerting.file': file,
    'devices.offlineDelayMs': '1s',
    'store.retentionAgeMs': '6h',
    'store.maintenanceMs': '200ms',
    'store.recentBytesMax': '0'
  })
  await using device = await RawMqttClient.connect({ port: server.ports.mqtt, clientId: 'timers' })
  const say = (n: number) => new Promise(resolve => device.publish('timers/x', `${n}`, resolve))
  const checks: Check[] = []
  const check = async (what: string, probe: () => Promise<boolean>) => {
    const startMs = performance.now()
    const holds = await eventually(probe, { timeoutMs: SOON_MS, everyMs: 100 }).catch(() => false)
    checks.push({ what, holds: holds ? 'yes' : 'no', seconds: (performance.now() - startMs) / 1000 })
  }
  if (!(await isSet(server, clock))) throw new NotRunnable('the clock of a server cannot be set here')

  await say(1)
  await clock.move(11 * MINUTE_MS)
  await check(
    'forward 11 minutes: a rule for 10 minutes of silence raises, though nothing else happens',
    async () => (await changes(server, 'raised')) === 1
  )
  await clock.move(-HOUR_MS)
  await say(2)
  await check(
    'back an hour: the next event resolves it',
    async () => (await changes(server, 'resolved')) === 1
  )
  await check(
    'back an hour: it is not raised a second time',
    async () => (await changes(server, 'raised')) === 1
  )

  const leaving = await RawMqttClient.connect({ port: server.ports.mqtt, clientId: 'leaving' })
  await clock.move(-HOUR_MS)
  await leaving[Symbol.asyncDispose]()
  await check('back another hour: a device that is gone is offline', async () =>
    (await readNotifications(server, 'presence')).some(
      ({ device: id, ['status']: status }) => id === 'leaving' && status === 'offline'
    )
  )

  await session(server)
  await clock.move(-HOUR_MS)
  await check(
    'back another hour: a session that expires after a minute is there',
    async () => await session(server)
  )
  await clock.move(5 * HOUR_MS)
  await check('forward 5 hours: it has expired', async () => !(await session(server)))

  const silence = await server.ask('/v1/silences', {
    body: { match: { devices: ['*'] }, for: '1h', comment: 'clock' }
  })
  if (silence.status >= 300)
    throw new Error(`POST /v1/silences answers ${silence.status}: ${JSON.stringify(silence.body)}`)
  await check('a silence of an hour has begun', async () => (await silences(server)) === 1)
  await clock.move(61 * MINUTE_MS)
  await check('forward 61 minutes: it has ended', async () => (await silences(server)) === 0)

  const old = await readEvents(server)
  await clock.move(7 * HOUR_MS)
  await say(3)
  await check(
    'forward 7 hours: what is older than 6 hours is removed',
    async () => (await server.metric('tocsin_log_first_sequence')) > old.length
  )
  await clock.move(-20 * HOUR_MS)
  await Promise.all(Array.from({ length: 50 }, (_, index) => say(4 + index)))
  await clock.move(19 * HOUR_MS)
  await delay(ROUNDS_OF_RETENTION_MS)
  await check('back 20 hours, forward 19: nothing that came meanwhile is removed', async () => {
    const { status, body } = await server.ask('/v1/notifications?kinds=event&limit=1000&after=earliest')
    const { items } = body as { items: { payload: unknown }[] }
    return status === 200 && items.filter(({ payload }) => Number(payload) >= 4).length === 50
  })
  const times = (await eventsKept(server)).map(({ at }) => at)
  await check('times in the log never fall', async () =>
    times.every((at, index) => at >= (times[index - 1] ?? 0))
  )
  return checks
}

async function eventsKept(server: ServerProcess): Promise<{ at: number }[]> {
  const { body } = await server.ask('/v1/notifications?limit=1000&after=earliest')
  return (body as { items: { at: number }[] }).items
}

/** Whether the server takes the time from the file. */
async function isSet(server: ServerProcess, clock: SettableClock): Promise<boolean> {
  await clock.set(MINUTE_MS)
  const ahead = async () => {
    const { body } = await server.ask('/v1/events', { body: { device: 'time', topic: 'time', payload: 1 } })
    const last = (await readEvents(server)).at(-1)
    return body !== null && last !== undefined && last.at > Date.now() + MINUTE_MS / 2
  }
  return await eventually(ahead, { timeoutMs: 5000, everyMs: 100 }).catch(() => false)
}

async function changes(server: ServerProcess, change: 'raised' | 'resolved'): Promise<number> {
  return (await readNotifications(server, 'alert')).filter(one => one['change'] === change).length
}

/** Comes with a session that outlasts its connection by a minute, and leaves; says whether it was there. */
async function session({ ports }: ServerProcess): Promise<boolean> {
  const client = connect({
    host: '127.0.0.1',
    port: ports.mqtt,
    clientId: 'visitor',
    protocolVersion: 5,
    clean: false,
    reconnectPeriod: 0,
    properties: { sessionExpiryInterval: 60 }
  })
  const present = await new Promise<boolean>((resolve, reject) => {
    client.once('connect', ({ sessionPresent }) => resolve(sessionPresent))
    client.once('error', reject)
  })
  await client.endAsync()
  return present
}

/** Silences in force. */
async function silences(server: ServerProcess): Promise<number> {
  const { body } = await server.ask('/v1/silences')
  const { items } = body as { items: { state: string }[] }
  return items.filter(({ state }) => state === 'active').length
}
