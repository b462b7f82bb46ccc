// A device that sends at QoS 2 in a session that lasts, so that what it sends again after a crash must not be there twice.
import type { Packet } from 'mqtt-packet'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import {
  mqttConnection,
  type LoadTarget,
  type Source,
  type SourceOptions,
  type SourcePayload
} from './load-sources.ts'

/** How far a message is: sent, or received by the server (PUBREC), so that PUBREL is next. */
type Stage = 'sent' | 'received'

const PACKET_IDS = 65_535

/** QoS 2 over MQTT 3.1.1. An event counts as acknowledged with its PUBREC. */
export class ExactSource implements Source {
  readonly protocol = 'mqtt'
  readonly once = true
  readonly name: string
  readonly #window: number
  readonly #open = new Map<number, Stage>()
  #client: RawMqttClient | null = null
  #running = false
  sent = 0
  acknowledged = 0

  constructor({ name, window }: SourceOptions) {
    this.name = name
    this.#window = window
  }

  wasAcknowledged(n: number): boolean {
    return n <= this.sent && this.#open.get(n) !== 'sent'
  }

  async connect(target: LoadTarget): Promise<string | null> {
    this.#client = await RawMqttClient.connect({ ...mqttConnection(this.name, target), clean: false })
    const { returnCode, sessionPresent } = this.#client.connack ?? {}
    if (returnCode !== 0) return `CONNACK ${returnCode}`
    if (this.acknowledged > 0 && sessionPresent !== true) return `the session of ${this.name} is gone`
    for (const [n, stage] of this.#open) {
      if (stage === 'sent') this.#publish(n, true)
      else this.#release(n)
    }
    this.#pump()
    return null
  }

  run(running: boolean): void {
    this.#running = running
    this.#pump()
  }

  async closed(): Promise<void> {
    await this.#client?.closed
  }

  async close(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]()
  }

  #pump(): void {
    while (this.#running && this.#client?.ended === false && this.#open.size < this.#window) {
      this.#open.set(++this.sent, 'sent')
      this.#publish(this.sent, false)
    }
  }

  #publish(n: number, dup: boolean): void {
    const says: SourcePayload = { from: this.name, n }
    const messageId = packetId(n)
    const [topic, payload] = [`load/${this.name}`, JSON.stringify(says)]
    const packet: Packet = { cmd: 'publish', topic, payload, qos: 2, dup, retain: false, messageId }
    this.#client?.exchange(packet, { answer: 'pubrec', messageId }, () => {
      this.#open.set(n, 'received')
      this.acknowledged++
      this.#release(n)
    })
  }

  #release(n: number): void {
    const messageId = packetId(n)
    this.#client?.exchange({ cmd: 'pubrel', messageId }, { answer: 'pubcomp', messageId }, () => {
      this.#open.delete(n)
      this.#pump()
    })
  }
}

function packetId(n: number): number {
  return ((n - 1) % PACKET_IDS) + 1
}
