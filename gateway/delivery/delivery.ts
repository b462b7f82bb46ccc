// An intended delivery: a notice for one channel, from the decision to tell it to its end. Plain data: it is saved.
import { Packr, Unpackr } from 'msgpackr'
import type { Notice } from './notice.ts'

export interface Delivery {
  /** The notice's id: the same on every attempt. */
  id: string
  /** Counts deliveries in the order in which they were decided, or sent again by hand. */
  number: number
  channel: string
  /** Deliveries of a channel and lane are made one after the other, so that an end is never told before its beginning. */
  lane: string
  notice: Notice
  /** Attempts that were made. */
  attempts: number
  /** When the next one is due, ms since 1970. */
  nextAt: number
  /** Sequence of the notification that caused it; 0: none. */
  causeSeq: number
  /** When it was given up, ms since 1970; null: it waits. */
  failedAt: number | null
}

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })

/** What is saved of a delivery. */
export function packDelivery(delivery: Delivery): Uint8Array {
  return packr.pack(delivery)
}

export function unpackDelivery(bytes: Uint8Array): Delivery {
  return unpackr.unpack(bytes) as Delivery
}
