// Retained messages that answer one session's SUBSCRIBEs, on their way: subscription by subscription, as fast as the
// client takes them. At most one answer for each filter is owed, however often a client asks.
import type { EventNotification } from '../../store/notification.ts'
import { Message, type View } from './message.ts'
import type { RetainedMessages } from './retained-messages.ts'
import type { Sender, SessionConnection } from './sender.ts'
import { qosOf, type Subscription } from './subscription.ts'

interface Answer {
  filter: string
  view: View
  /** Looked up when their turn comes. */
  messages: EventNotification[] | null
  at: number
}

/** The answers that a session still owes its client. */
export class RetainedAnswers {
  readonly #retained: RetainedMessages
  readonly #sender: Sender
  /** By filter. */
  #answers: Map<string, Answer> | null = null

  constructor(retained: RetainedMessages, sender: Sender) {
    this.#retained = retained
    this.#sender = sender
  }

  /** Whether there are any left. */
  get waiting(): boolean {
    return this.#answers !== null && this.#answers.size > 0
  }

  /** Answers a SUBSCRIBE; what an earlier one to the same filter is still owed comes with this. */
  add({ filter, qos, identifier }: Subscription<unknown>): void {
    const identifiers = identifier === null ? undefined : [identifier]
    this.#answers ??= new Map()
    this.#answers.delete(filter)
    this.#answers.set(filter, {
      filter,
      view: { qos, retainAsPublished: true, identifiers },
      messages: null,
      at: 0
    })
  }

  /** The client has unsubscribed, and gets no more of what matches [MQTT-3.10.4-2]. */
  remove(filter: string): void {
    this.#answers?.delete(filter)
  }

  clear(): void {
    this.#answers = null
  }

  /** Sends what it can of the first subscription's messages. False when it had to stop. */
  send({ outbox }: SessionConnection, unsentBytesMax: number): boolean {
    const answers = this.#answers
    if (answers === null) return true
    const [answer] = answers.values()
    if (answer === undefined) return true
    answer.messages ??= this.#retained.match(answer.filter)
    for (; answer.at < answer.messages.length; answer.at++) {
      const event = answer.messages[answer.at]
      if (event === undefined) continue
      if (outbox.unsentBytes > unsentBytesMax) return false
      const message = new Message(event, { retained: true })
      if (!this.#sender.send(message, answer.view, qosOf(message, answer.view))) return false
    }
    answers.delete(answer.filter)
    return true
  }
}
