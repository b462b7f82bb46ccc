// Retained messages that answer one session's SUBSCRIBEs, on their way: subscription by subscription, as fast as the
// client takes them.
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
  #answers: Answer[] | null = null

  constructor(retained: RetainedMessages, sender: Sender) {
    this.#retained = retained
    this.#sender = sender
  }

  /** Whether there are any left. */
  get waiting(): boolean {
    return this.#answers !== null && this.#answers.length > 0
  }

  add({ filter, qos, identifier }: Subscription<unknown>): void {
    const identifiers = identifier === null ? undefined : [identifier]
    this.#answers ??= []
    this.#answers.push({
      filter,
      view: { qos, retainAsPublished: true, identifiers },
      messages: null,
      at: 0
    })
  }

  clear(): void {
    this.#answers = null
  }

  /** Sends what it can of the first subscription's messages. False when it had to stop. */
  send({ outbox }: SessionConnection, unsentBytesMax: number): boolean {
    const answer = this.#answers?.[0]
    if (answer === undefined) return true
    answer.messages ??= this.#retained.match(answer.filter)
    for (; answer.at < answer.messages.length; answer.at++) {
      const event = answer.messages[answer.at]
      if (event === undefined) continue
      if (outbox.unsentBytes > unsentBytesMax) return false
      const message = new Message(event, { retained: true })
      if (!this.#sender.send(message, answer.view, qosOf(message, answer.view))) return false
    }
    this.#answers?.shift()
    return true
  }
}
