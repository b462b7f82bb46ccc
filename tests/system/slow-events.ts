// What the load of the slow-subscriber scenario says.
import { unpack } from 'msgpackr'

export interface TickEvent {
  n: number
  /** performance.now() of the sender's thread; absent in events that only fill. */
  sentMs?: number
}

/** The payload of an event that fills: JSON. */
export function fillingPayload(n: number, bytes: number): string {
  return `{"n":${n},"filling":"${'x'.repeat(bytes)}"}`
}

/** Reads a payload as MQTT brings it: MessagePack of a raw TCP device, or `fillingPayload`, of which only the number counts. */
export function eventOf(payload: Buffer): TickEvent {
  if (payload[0] !== 0x7b) return unpack(payload) as TickEvent
  return JSON.parse(`${payload.subarray(0, payload.indexOf(',')).toString()}}`) as TickEvent
}
