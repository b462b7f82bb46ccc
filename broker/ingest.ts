// The one way by which an event of a device reaches the log, whatever it came over:
//   1. authorize   may this device publish to this topic?
//   2. validate    is the topic a topic name?
//   3. append      the log calls back when it is durable
// Steps 1 and 2 depend on identity and topic alone, and devices repeat their topics, so their verdict is remembered.
import { Counter, type Registry } from 'prom-client'
import type { EventDraft, MqttDetails, Source } from '../store/notification.ts'
import type { AppendOptions, Log, OnDurable } from '../store/store.ts'
import { isTopicName, topicLevels } from '../store/topic-filter.ts'
import type { Authorizer } from './authorize.ts'
import type { Identity } from './identity.ts'

/** An event as a protocol hands it over. */
export interface IncomingEvent {
  topic: string
  /** The bytes as they came; the log may keep them, so they must not be overwritten. */
  payload: Uint8Array
  format: EventDraft['format']
  /** The device's own time, ms since 1970. */
  deviceAt?: number
  source: Exclude<Source, 'server'>
  mqtt?: MqttDetails
}

/** Why an event was not taken. */
export interface Refusal {
  code: 'topic-invalid' | 'not-authorized'
  message: string
}

export interface IngestOptions {
  log: Log
  authorizer: Authorizer
  registry: Registry
  /** Most levels of a topic. */
  topicLevelsMax?: number
}

/** The last topics of one device and what was decided about them. */
interface Verdicts {
  topic: string
  verdict: Refusal | null
  others: Map<string, Refusal | null> | null
}

/** Topics remembered per device; one that uses more is judged anew more often, nothing else. */
const TOPICS_REMEMBERED = 32

/** Takes events in. Counts what it takes per source and what it refuses per code. */
export class Ingest {
  #log: Log
  #authorizer: Authorizer
  #topicLevelsMax: number
  #verdicts = new WeakMap<Identity, Verdicts>()
  #taken = { mqtt: 0, tcp: 0, http: 0 }
  #refused = { 'topic-invalid': 0, 'not-authorized': 0 }

  constructor({ log, authorizer, registry, topicLevelsMax = 100 }: IngestOptions) {
    this.#log = log
    this.#authorizer = authorizer
    this.#topicLevelsMax = topicLevelsMax
    this.#register(registry)
  }

  /**
   * Appends the event, or returns why not (then `onDurable` is never called). `onDurable` is called once, with null
   * when the event is committed and fsynced, in the order of the events.
   */
  event(
    identity: Identity,
    event: IncomingEvent,
    onDurable: OnDurable | null,
    options?: AppendOptions
  ): Refusal | null {
    const refusal = this.#judge(identity, event.topic)
    if (refusal !== null) {
      this.#refused[refusal.code]++
      return refusal
    }
    this.#taken[event.source]++
    this.#log.append(draftOf(identity, event), onDurable, options)
    return null
  }

  /** Whether so much waits for commit that devices must be paused. */
  full(): boolean {
    return this.#log.full()
  }

  /** Calls back once, at once or as soon as there is room again. */
  whenRoom(callback: () => void): void {
    this.#log.whenRoom(callback)
  }

  #judge(identity: Identity, topic: string): Refusal | null {
    const known = this.#verdicts.get(identity)
    if (known === undefined) {
      const verdict = this.#judgeAnew(identity, topic)
      this.#verdicts.set(identity, { topic, verdict, others: null })
      return verdict
    }
    if (known.topic === topic) return known.verdict
    known.others ??= new Map([[known.topic, known.verdict]])
    let verdict = known.others.get(topic)
    if (verdict === undefined) {
      verdict = this.#judgeAnew(identity, topic)
      if (known.others.size >= TOPICS_REMEMBERED) known.others.clear()
      known.others.set(topic, verdict)
    }
    known.topic = topic
    known.verdict = verdict
    return verdict
  }

  #judgeAnew(identity: Identity, topic: string): Refusal | null {
    if (!this.#authorizer.mayPublish(identity, topic)) {
      return { code: 'not-authorized', message: 'this device may not publish to this topic' }
    }
    if (!isTopicName(topic)) {
      return {
        code: 'topic-invalid',
        message: 'a topic is 1 to 65,535 bytes of UTF-8 without +, # and NUL'
      }
    }
    if (topicLevels(topic) > this.#topicLevelsMax) {
      return { code: 'topic-invalid', message: `a topic has at most ${this.#topicLevelsMax} levels` }
    }
    return null
  }

  #register(registry: Registry): void {
    const taken = this.#taken
    const refused = this.#refused
    registry.registerMetric(
      new Counter({
        name: 'tocsin_events_received_total',
        help: 'Events taken in from devices, by what they came over.',
        labelNames: ['source'],
        registers: [],
        collect() {
          this.reset()
          for (const [source, count] of Object.entries(taken)) this.inc({ source }, count)
        }
      })
    )
    registry.registerMetric(
      new Counter({
        name: 'tocsin_events_refused_total',
        help: 'Events that were not taken in, by reason.',
        labelNames: ['code'],
        registers: [],
        collect() {
          this.reset()
          for (const [code, count] of Object.entries(refused)) this.inc({ code }, count)
        }
      })
    )
  }
}

function draftOf({ device }: Identity, event: IncomingEvent): EventDraft {
  const { topic, payload, format, source, deviceAt, mqtt } = event
  const draft: EventDraft = { kind: 'event', device, severity: 'info', topic, payload, format, source }
  if (deviceAt !== undefined) draft.deviceAt = deviceAt
  if (mqtt !== undefined) draft.mqtt = mqtt
  return draft
}
