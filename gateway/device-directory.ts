// What is known of every device that is registered or was ever seen: presence and activity, kept by following the log.
import type { Logger } from 'pino'
import type { Notification } from '../store/notification.ts'
import type { ActivityRow, Batch, Change, Follower, Log, PresenceRow, Store } from '../store/store.ts'
import { countEvent, endOfMinute, minuteOf } from './event-rate.ts'
import type { MinuteCounts } from './event-rate.ts'

/** Devices are saved a shard at a time, so that one write stays small however many there are. */
const SHARDS = 16
const SAVE_ALL_MS = 5000

interface Known extends MinuteCounts {
  device: string
  shard: number
  activity: ActivityRow | null
  presence: PresenceRow | null
  /** Its activity has changed since it was saved. */
  dirty: boolean
}

interface Shard {
  number: number
  /** What its saved rows include; notifications up to here have been counted before. */
  saved: number
  dirty: Known[]
}

/** One device as the directory knows it. Its counts of minutes begin with the server's start. */
export interface DirectoryEntry extends Readonly<MinuteCounts> {
  activity: Readonly<ActivityRow> | null
  presence: Readonly<PresenceRow> | null
}

/**
 * Rows and checkpoint of a shard are one transaction, so that after a crash each notification is counted exactly once,
 * as far as the log still has it.
 */
export class DeviceDirectory {
  readonly #log: Log
  readonly #logger: Logger
  readonly #known = new Map<string, Known>()
  readonly #shards: Shard[] = []
  #sorted: string[] | null = null
  #position = 0
  /** The minute of the last notification; the log's time never goes back. */
  #minute = 0
  #minuteEndsAt = 0
  #next = 0
  #saving = false
  #timer: NodeJS.Timeout | null = null
  #follower: Follower | null = null

  private constructor(log: Log, logger: Logger) {
    this.#log = log
    this.#logger = logger
  }

  /** Loads what was saved and follows the log from there. */
  static async load({ log, tables, devices }: Store, logger: Logger): Promise<DeviceDirectory> {
    const directory = new DeviceDirectory(log, logger)
    for (let number = 0; number < SHARDS; number++) {
      const saved = (await tables.checkpoint(checkpointName(number))) ?? 0
      directory.#shards.push({ number, saved, dirty: [] })
    }
    for (const row of await tables.activity()) directory.#knownOf(row.device).activity = { ...row }
    for (const row of await tables.presence()) directory.#knownOf(row.device).presence = { ...row }
    for (const { id } of devices.list()) directory.#knownOf(id)
    devices.onChange(id => directory.#knownOf(id))
    directory.#start()
    return directory
  }

  get(device: string): DirectoryEntry | undefined {
    return this.#known.get(device)
  }

  get size(): number {
    return this.#known.size
  }

  /** Ids of all devices that were ever registered or seen, in order of their UTF-16 code units. Must not be changed, nor kept. */
  ids(): readonly string[] {
    return (this.#sorted ??= [...this.#known.keys()].toSorted())
  }

  /** Stops following and saves what is unsaved; resolves when it is durable or can't be. */
  async close(): Promise<void> {
    this.#follower?.stop()
    if (this.#timer) clearInterval(this.#timer)
    const changes = this.#shards.flatMap(shard => this.#takeChanges(shard))
    if (changes.length === 0 || !this.#log.health().writable) return
    await new Promise<void>(resolve => this.#log.write(changes, () => resolve()))
  }

  #start(): void {
    this.#position = Math.min(...this.#shards.map(({ saved }) => saved))
    this.#follower = this.#log.follow(this.#position, batch => this.#take(batch))
    this.#timer = setInterval(() => this.#saveNext(), SAVE_ALL_MS / SHARDS)
    this.#timer.unref()
  }

  #take({ items, last }: Batch): void {
    for (const item of items) this.#note(item)
    this.#position = last
  }

  #note(notification: Notification): void {
    const { kind, device, at, seq } = notification
    if ((kind !== 'event' && kind !== 'presence') || device === '') return
    if (kind === 'event' && notification.source === 'server') return // no sign of life of the device it is about
    if (at >= this.#minuteEndsAt) this.#enterMinute(at)
    const known = this.#knownOf(device)
    if (kind === 'event') countEvent(known, this.#minute)
    if (kind === 'presence') this.#notePresence(known, notification)
    const shard = this.#shards[known.shard]
    if (shard === undefined || seq <= shard.saved) return
    const activity = known.activity
    const events = kind === 'event' ? 1 : 0
    if (activity === null)
      known.activity = { device, firstSeenAt: at, lastSeenAt: at, events, lastSeq: events === 1 ? seq : 0 }
    else {
      // An end of its connection is no sign of life.
      if (events === 1 || notification.kind !== 'presence' || notification.status === 'online')
        activity.lastSeenAt = at
      if (events === 1) activity.lastSeq = seq
      activity.events += events
    }
    if (!known.dirty) {
      known.dirty = true
      shard.dirty.push(known)
    }
  }

  #enterMinute(at: number): void {
    this.#minute = minuteOf(at)
    this.#minuteEndsAt = endOfMinute(this.#minute)
  }

  #notePresence(known: Known, notification: Notification & { kind: 'presence' }): void {
    const { device, status, session, order, reason, at } = notification
    const { presence } = known
    // Rows may be newer than what is replayed; and an "offline" may come after a newer session's "online".
    if (presence && (order < presence.order || (order === presence.order && at < presence.since))) return
    if (presence && order === presence.order && presence.status === 'offline' && status === 'online') return
    known.presence = { device, status, session, order, reason, since: at }
  }

  #knownOf(device: string): Known {
    let known = this.#known.get(device)
    if (known === undefined) {
      known = {
        device,
        shard: shardOf(device),
        activity: null,
        presence: null,
        dirty: false,
        minute: 0,
        minuteEvents: 0,
        minuteEventsBefore: 0
      }
      this.#known.set(device, known)
      // Sorting anew takes 150 ms for 100,000 devices, and while a fleet comes up that would be for every page.
      if (this.#sorted !== null) insertSorted(this.#sorted, device)
    }
    return known
  }

  /** Saves the next shard that has changes, if the last save is done. */
  #saveNext(): void {
    if (this.#saving || !this.#log.health().writable) return
    const shard = this.#shards[this.#next]
    this.#next = (this.#next + 1) % SHARDS
    if (shard === undefined || shard.dirty.length === 0) return
    const changes = this.#takeChanges(shard)
    // Shards without changes have nothing unsaved up to here either.
    for (const other of this.#shards)
      if (other.dirty.length === 0 && other !== shard) changes.push(...this.#takeChanges(other))
    this.#saving = true
    this.#log.write(changes, error => {
      this.#saving = false
      if (error) this.#logger.warn({ err: error }, 'the activity of devices was not saved')
    })
  }

  /** The rows that changed in a shard and its checkpoint; they count as saved from here on. */
  #takeChanges(shard: Shard): Change[] {
    if (shard.saved >= this.#position) return []
    const changes: Change[] = shard.dirty.flatMap(known => {
      known.dirty = false
      return known.activity ? [{ put: 'activity', row: { ...known.activity } }] : []
    })
    shard.dirty = []
    shard.saved = this.#position
    changes.push({ put: 'checkpoint', name: checkpointName(shard.number), seq: this.#position })
    return changes
  }
}

function checkpointName(shard: number): string {
  return `device-directory/${shard}`
}

function insertSorted(ids: string[], id: string): void {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ids[middle] ?? '') < id) low = middle + 1
    else high = middle
  }
  ids.splice(low, 0, id)
}

function shardOf(device: string): number {
  let hash = 0
  for (let at = 0; at < device.length; at++) hash = (Math.imul(hash, 31) + device.charCodeAt(at)) | 0
  return (hash >>> 0) % SHARDS
}
