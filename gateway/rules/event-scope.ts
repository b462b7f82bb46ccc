// What expressions see of an event.
import type { EventNotification } from '../../store/notification.ts'
import type { Scope } from './expression.ts'
import { payloadValue } from './payload-value.ts'

/** The scope of an event. Its payload is decoded when it is first asked for, once for all rules. */
export class EventScope implements Scope {
  readonly #event: EventNotification
  #payload: unknown = undefined // no payload's value is undefined
  readonly topic: string
  readonly device: string
  readonly at: number
  readonly severity: string
  readonly reason = ''
  rate = 0
  key = ''
  rule = ''
  count = 0

  constructor(event: EventNotification) {
    this.#event = event
    this.topic = event.topic
    this.device = event.device
    this.at = event.at
    this.severity = event.severity
  }

  /** Bytes of the payload as it came. */
  get payloadBytes(): number {
    return this.#event.payload.length
  }

  get payload(): unknown {
    if (this.#payload === undefined) this.#payload = payloadValue(this.#event)
    return this.#payload
  }
}
