// What the contract suites need of an engine: a place that stores can be opened in, one after the other.
import type { EventDraft, MqttDetails } from '../../store/notification.ts'
import type { AppendOptions, Log, Store, StoreOptions } from '../../store/store.ts'

/** A place for one store, empty at first; `open` may be called again after the store was closed. */
export interface StorePlace extends AsyncDisposable {
  open(options?: Partial<StoreOptions>): Promise<OpenStore>
}

/** An open store. Disposing of it closes it. */
export interface OpenStore extends Store, AsyncDisposable {
  /** Number of blocks in the log, as its metric says. */
  blocks(): Promise<number>
  /** A metric's value. */
  metric(name: string): Promise<number>
}

export type NewPlace = () => Promise<StorePlace>

/** Options that leave everything as it is, for tests that say what they change. */
export const quietOptions: StoreOptions = {
  commitIntervalMs: 2,
  waitingBytesMax: 64 * 1024 * 1024,
  recentBytesMax: 16 * 1024 * 1024,
  retentionAgeMs: 0,
  retentionBytesMax: 0,
  maintenanceMs: 3_600_000,
  now: Date.now
}

/** An event draft, for tests that say what they care about. */
export function event(text: string, changes: Partial<EventDraft> = {}): EventDraft {
  return {
    kind: 'event',
    device: 'pump-1',
    severity: 'info',
    topic: 'pumps/1/state',
    payload: Buffer.from(text),
    format: 'plain',
    source: 'mqtt',
    ...changes
  }
}

export const plainMqtt: MqttDetails = { qos: 1, retain: false, session: 'pump-1/main' }

/** Appends and resolves when it is durable. */
export function appended(
  log: Log,
  draft: Parameters<Log['append']>[0],
  options?: AppendOptions
): Promise<void> {
  return new Promise((resolve, reject) => {
    log.append(draft, error => (error ? reject(error) : resolve()), options)
  })
}

/** Writes changes and resolves when they are durable. */
export function written(log: Log, changes: Parameters<Log['write']>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    log.write(changes, error => (error ? reject(error) : resolve()))
  })
}

/** Appends `count` events, each a commit of its own. */
export async function appendOneByOne(log: Log, count: number, draft = (index: number) => event(`${index}`)) {
  for (let index = 1; index <= count; index++) await appended(log, draft(index))
}
