// What a handler does, checked and put into the ledger's transaction.
import type { EventDraft, EventNotification } from '../../store/notification.ts'
import { severities } from '../../store/notification.ts'
import { isTopicName } from '../../store/topic-filter.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { AlertSink } from '../rules/rule-at-work.ts'
import type { HandlerActions } from './handler.ts'

const TEXT_MAX = 4096

/** The actions of one call. */
export function actionsFor(
  event: EventNotification,
  { module, ledger, sink }: { module: string; ledger: Ledger; sink: AlertSink }
): HandlerActions {
  const { at, seq, device, topic } = event
  return {
    raise({ key = device, severity, title, detail = '', labels = {}, runbook = '' }) {
      for (const text of [key, title, detail, runbook, ...Object.values(labels)]) checkText(text)
      sink.raise({
        origin: 'handler',
        rule: module,
        key,
        device,
        eventTopic: topic,
        severity: checkSeverity(severity),
        title,
        detail,
        runbook,
        labels: { ...labels },
        at,
        causeSeq: seq,
        flapping: null
      })
    },
    clear(key = device) {
      if (sink.isOpen(module, checkText(key))) sink.clear({ rule: module, key, at, causeSeq: seq })
    },
    publish(to, payload, { qos = 1, retain = false } = {}) {
      if (![0, 1, 2].includes(qos)) throw new TypeError(`qos must be 0, 1 or 2; it is ${String(qos)}`)
      ledger.append({
        ...draftOf(to, payload),
        device: '',
        severity: 'info',
        mqtt: { qos, retain, session: '' }
      })
    },
    append({ topic: to, payload, severity, device: about = device }) {
      ledger.append({
        ...draftOf(to, payload),
        device: checkText(about),
        severity: checkSeverity(severity)
      })
    }
  }
}

type Content = Pick<EventDraft, 'kind' | 'topic' | 'payload' | 'format' | 'source'>

function draftOf(topic: string, payload: unknown): Content {
  if (typeof topic !== 'string' || !isTopicName(topic) || topic.startsWith('$'))
    throw new TypeError(`"${String(topic)}" is no topic to publish to`)
  return { kind: 'event', topic, payload: bytesOf(payload), format: 'plain', source: 'server' }
}

function bytesOf(payload: unknown): Uint8Array {
  if (payload instanceof Uint8Array) return Uint8Array.from(payload)
  if (typeof payload === 'string') return Buffer.from(payload)
  const json = JSON.stringify(payload) as string | undefined
  if (json === undefined) throw new TypeError('the payload can be no JSON')
  return Buffer.from(json)
}

function checkText(text: unknown): string {
  if (typeof text !== 'string') throw new TypeError(`expected text, not ${typeof text}`)
  if (text.length > TEXT_MAX)
    throw new TypeError(`a text of ${text.length} characters is too long; at most ${TEXT_MAX}`)
  return text
}

function checkSeverity(severity: unknown) {
  const known = severities.find(word => word === severity)
  if (known === undefined)
    throw new TypeError(`severity must be one of ${severities.join(', ')}; it is ${String(severity)}`)
  return known
}
