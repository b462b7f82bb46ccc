// The retained message of each topic, in memory as a tree of topic levels. It follows the log, so that at any moment
// it holds exactly what the log says up to the dispatcher's place. Open alerts are among them, but take no room from what
// devices may have retained: how many there are has a limit of its own.
import { isAlertTopic, withCursor } from '../../store/alert-message.ts'
import { mqttBytes } from '../../store/notification-size.ts'
import type { EventNotification } from '../../store/notification.ts'
import type { RetainedRow } from '../../store/store.ts'
import { ExpiryIndex } from './expiry-index.ts'

interface Node {
  message: EventNotification | null
  children: Map<string, Node> | null
}

/** Retained messages by topic, and those that a topic filter matches. */
export class RetainedMessages {
  #root: Node = { message: null, children: null }
  readonly #expiring = new ExpiryIndex()
  #count = 0
  #bytes = 0
  #expiredCount = 0

  /** Number of topics with a retained message, without those that begin with `$`. */
  get count(): number {
    return this.#count
  }

  /** Bytes of their topics, payloads and properties. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many were removed because they had expired. */
  get expiredCount(): number {
    return this.#expiredCount
  }

  /** Takes a stored message of the log `epoch` in, at start. */
  load(epoch: string, row: RetainedRow): void {
    const { topic, seq, at, device, mqtt } = row
    const payload = isAlertTopic(topic) ? withCursor(row.payload, epoch, seq) : row.payload
    this.#set(topic, {
      kind: 'event',
      severity: 'info',
      format: 'plain',
      source: 'mqtt',
      topic,
      seq,
      at,
      device,
      payload,
      mqtt
    })
  }

  /** Follows a committed event: with RETAIN it replaces its topic's message; an empty payload removes it [MQTT-3.3.1-5, -6]. */
  apply(event: EventNotification): void {
    if (event.payload.length === 0) this.#delete(event.topic)
    else this.#set(event.topic, { ...event, payload: Buffer.from(event.payload) }) // a copy: the batch's memory is large
  }

  /** Removes a topic's message. */
  remove(topic: string): void {
    this.#delete(topic)
  }

  /** Removes messages that have expired [MQTT-3.3.2-5], at most `max` at a time. Returns them: the store has them still. */
  expire(now: number, max: number): EventNotification[] {
    const removed: EventNotification[] = []
    for (const topic of this.#expiring.take(now, max)) {
      const message = this.get(topic)
      if (message !== null) removed.push(message)
      this.#delete(topic)
    }
    this.#expiredCount += removed.length
    return removed
  }

  /** The message of a topic. */
  get(topic: string): EventNotification | null {
    let node: Node | undefined = this.#root
    for (const level of topic.split('/')) {
      node = node.children?.get(level)
      if (node === undefined) return null
    }
    return node.message
  }

  /** Messages whose topics the filter matches, in no particular order. */
  match(filter: string): EventNotification[] {
    const found: EventNotification[] = []
    collect(this.#root, filter.split('/'), 0, found)
    return found
  }

  #set(topic: string, message: EventNotification): void {
    let node = this.#root
    for (const level of topic.split('/')) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (child === undefined) node.children.set(level, (child = { message: null, children: null }))
      node = child
    }
    if (node.message !== null) this.#uncount(node.message)
    if (counts(topic)) {
      this.#count++
      this.#bytes += sizeOf(message)
    }
    if (message.mqtt?.expiresAt !== undefined) this.#expiring.add(topic, message.mqtt.expiresAt)
    node.message = message
  }

  #delete(topic: string): void {
    const levels = topic.split('/')
    const path: Node[] = [this.#root]
    for (const level of levels) {
      const child = path.at(-1)?.children?.get(level)
      if (child === undefined) return
      path.push(child)
    }
    const leaf = path.at(-1)
    if (leaf?.message == null) return
    this.#uncount(leaf.message)
    leaf.message = null
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth]
      if (node === undefined || node.message !== null || (node.children?.size ?? 0) > 0) return
      path[depth - 1]?.children?.delete(levels[depth - 1] ?? '')
    }
  }

  // What is replaced or removed no longer takes bytes, nor expires.
  #uncount(message: EventNotification): void {
    if (counts(message.topic)) {
      this.#count--
      this.#bytes -= sizeOf(message)
    }
    if (message.mqtt?.expiresAt !== undefined) this.#expiring.remove(message.topic, message.mqtt.expiresAt)
  }
}

function counts(topic: string): boolean {
  return !topic.startsWith('$')
}

/** Of a message, what counts when it is retained. */
export type Retainable = Pick<EventNotification, 'topic' | 'payload' | 'mqtt'>

/** Bytes that a message takes of those that may be retained. */
export function sizeOf({ topic, payload, mqtt }: Retainable): number {
  return topic.length + payload.length + mqttBytes(mqtt)
}

function collect(node: Node, levels: string[], depth: number, found: EventNotification[]): void {
  const level = levels[depth]
  if (level === undefined) {
    if (node.message !== null) found.push(node.message)
    return
  }
  if (level === '#') {
    collectAll(node, depth === 0, found)
    return
  }
  if (level !== '+') {
    const child = node.children?.get(level)
    if (child !== undefined) collect(child, levels, depth + 1, found)
    return
  }
  for (const [name, child] of node.children ?? []) {
    if (depth > 0 || !name.startsWith('$')) collect(child, levels, depth + 1, found) // [MQTT-4.7.2-1]
  }
}

function collectAll(node: Node, atRoot: boolean, found: EventNotification[]): void {
  if (node.message !== null) found.push(node.message)
  for (const [name, child] of node.children ?? []) {
    if (!atRoot || !name.startsWith('$')) collectAll(child, false, found)
  }
}
