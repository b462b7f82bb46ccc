// What a rule remembers of one key: its condition's state, and of the last happening what a timer may need to tell of it.
// There may be hundreds of thousands, so it is one flat object, which is its own timer.
import { Packr, Unpackr } from 'msgpackr'
import type { Appointment, Due } from '../alerting/agenda.ts'
import type { KeyState } from './condition.ts'
import type { Scope } from './expression.ts'
import type { Texts } from './rule-texts.ts'

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })

type Packed = [
  state: KeyState,
  seq: number,
  device: string,
  topic: string,
  severity: string,
  reason: string,
  rate: number,
  count: number,
  payload: unknown,
  texts: Texts | null
]

export class KeyRecord implements Due {
  readonly key: string
  readonly #wake: (record: KeyRecord, at: number) => void
  state: KeyState = {}
  /** Of the last happening. */
  seq = 0
  #device = ''
  #topic = ''
  #severity = ''
  #reason = ''
  #rate = 0
  #count = 0
  payload: unknown = null
  /** What a timer is to say, where the payload is too large to be kept. */
  texts: Texts | null = null
  /** When the timer runs, which may be earlier than the state is due. */
  dueAt: number | null = null
  appointment: Appointment | null = null
  /** Whether it is among those to be saved. */
  changed = false

  constructor(key: string, wake: (record: KeyRecord, at: number) => void) {
    this.key = key
    this.#wake = wake
  }

  due(at: number): void {
    this.#wake(this, at)
  }

  /** Keeps of what has happened what is needed later. */
  note(scope: Scope, seq: number): void {
    this.seq = seq
    this.#device = scope.device
    this.#topic = scope.topic
    this.#severity = scope.severity
    this.#reason = scope.reason
    this.#rate = scope.rate
    this.#count = scope.count
  }

  /** What expressions would see at a later time. */
  scope(at: number): Scope {
    return {
      payload: this.payload,
      topic: this.#topic,
      device: this.#device,
      at,
      severity: this.#severity,
      reason: this.#reason,
      rate: this.#rate,
      key: this.key,
      rule: '',
      count: this.#count
    }
  }

  pack(): Uint8Array {
    const packed: Packed = [
      this.state,
      this.seq,
      this.#device,
      this.#topic,
      this.#severity,
      this.#reason,
      this.#rate,
      this.#count,
      this.payload,
      this.texts
    ]
    return packr.pack(packed)
  }

  unpack(bytes: Uint8Array): void {
    const packed = unpackr.unpack(bytes) as Packed
    ;[this.state, this.seq, this.#device, this.#topic, this.#severity, this.#reason] = packed
    const [, , , , , , rate, count, payload, texts] = packed
    this.#rate = rate
    this.#count = count
    this.payload = payload
    this.texts = texts
  }
}
