// Fills a log as fast as the store takes it, in a process of its own.
// node dist/bench/filled/fill-log.js FOLDER NOTIFICATIONS
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { schema } from '../../config/schema.ts'
import { openSqliteStore } from '../../store/sqlite/open-sqlite-store.ts'
import { jsonPayload } from '../load/payload.ts'
import { deviceOf, PAYLOAD_BYTES } from './fleet.ts'

/** Appends of one turn of the event loop, as many as busy sockets would bring. */
const A_TURN = 1024
const DAY_MS = 86_400_000

const [dir = '', count = ''] = process.argv.slice(2)
const notifications = Number(count)
const startedAt = Date.now()
const config = schema.parse({ store: { dir } })
let appended = 0
const store = await openSqliteStore({
  ...config.store,
  log: pino({ level: 'warn' }),
  registry: new Registry(),
  // The notifications are spread over the day before now.
  now: () => Math.floor(startedAt - DAY_MS + (DAY_MS * appended) / notifications)
})
const { log } = store
const payload = Buffer.from(jsonPayload(PAYLOAD_BYTES))
await new Promise<void>((resolve, reject) => {
  const fill = () => {
    for (let turn = 0; turn < A_TURN && appended < notifications && !log.full(); turn++) {
      const device = deviceOf(appended)
      const draft = {
        kind: 'event',
        device,
        severity: 'info',
        payload,
        format: 'plain',
        source: 'tcp'
      } as const
      const isLast = appended === notifications - 1
      log.append(
        { ...draft, topic: `bench/${device}/temperature` },
        isLast ? error => (error ? reject(error) : resolve()) : null
      )
      appended++
    }
    if (appended < notifications) log.whenRoom(() => setImmediate(fill))
  }
  fill()
})
await store.close()
