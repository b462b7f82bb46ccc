// Devices as the outside sees them, with the last event of each, which is read from the log when somebody asks.
import { formatCursor } from '../../store/cursor.ts'
import type { EventNotification } from '../../store/notification.ts'
import { eventsPerMinute } from '../event-rate.ts'
import { payloadJson } from '../feed/payload.ts'
import type { HttpContext } from './context.ts'
import { timeText } from './schemas.ts'

/** A longer payload is left out; the notification itself has it. Bytes as stored, and characters of JSON. */
export const LAST_PAYLOAD_MAX = 2048

/** Whether it is registered or was ever seen. */
export function isKnownDevice({ store, directory }: HttpContext, id: string): boolean {
  if (store.devices.get(id)) return true
  const entry = directory.get(id)
  return entry !== undefined && (entry.activity !== null || entry.presence !== null)
}

/** The JSON text of each of these devices, in their order. */
export async function devicesJson(context: HttpContext, ids: readonly string[]): Promise<string[]> {
  const { log } = context.store
  const { epoch } = log.bounds()
  const devices = ids.map(id => ({
    fields: JSON.stringify(deviceFields(context, id)),
    lastSeq: context.directory.get(id)?.activity?.lastSeq ?? 0
  }))
  const events = new Map<number, string>()
  await log.getMany(
    devices.map(({ lastSeq }) => lastSeq),
    items => {
      for (const item of items) if (item.kind === 'event') events.set(item.seq, lastEventJson(epoch, item))
    }
  )
  return devices.map(
    ({ fields, lastSeq }) => `${fields.slice(0, -1)},"last":${events.get(lastSeq) ?? 'null'}}`
  )
}

function deviceFields({ store, directory, now }: HttpContext, id: string): object {
  const row = store.devices.get(id)
  const entry = directory.get(id)
  const activity = entry?.activity ?? null
  const presence = entry?.presence ?? null
  return {
    id,
    registered: row !== undefined,
    createdAt: row ? timeText(row.createdAt) : null,
    presence: presence && {
      status: presence.status,
      since: timeText(presence.since),
      reason: presence.reason,
      session: presence.session,
      order: presence.order
    },
    firstSeenAt: activity && timeText(activity.firstSeenAt),
    lastSeenAt: activity && timeText(activity.lastSeenAt),
    events: activity?.events ?? 0,
    eventsPerMinute: entry ? eventsPerMinute(entry, now()) : 0
  }
}

function lastEventJson(epoch: string, event: EventNotification): string {
  const { seq, at, topic, payload } = event
  const head = `{"cursor":"${formatCursor(epoch, seq)}","at":${at},"topic":${JSON.stringify(topic)}`
  const value = payload.length > LAST_PAYLOAD_MAX ? null : payloadJson(event)
  if (value === null || value.json.length > LAST_PAYLOAD_MAX) return `${head},"truncated":true}`
  return `${head},"payload":${value.json}${value.base64 ? ',"encoding":"base64"' : ''}}`
}
