// Payloads as they go over the wire: JSON text over MQTT, MessagePack over TCP. Pure.
import { Packr } from 'msgpackr'
import type { PlannedEvent } from './device-plan.ts'

const packr = new Packr({ useRecords: false })

/** The event's values as JSON, `n` first; of a malformed event what is left when its end breaks off. */
export function jsonPayload({ values, malformed }: PlannedEvent): string {
  const json = JSON.stringify(values)
  return malformed ? brokenOff(json) : json
}

/** The event's values as one MessagePack value. A malformed one is a text of broken JSON: valid to the protocol only. */
export function packedPayload(event: PlannedEvent): Uint8Array {
  return packr.pack(event.malformed ? jsonPayload(event) : event.values)
}

/** JSON without its end; the number of the event, its first field, stays readable. */
function brokenOff(json: string): string {
  const comma = json.indexOf(',')
  return comma < 0 ? json.slice(0, -1) : json.slice(0, Math.max(comma + 1, json.length - 4))
}
