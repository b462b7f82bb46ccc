// An MQTT.js client with a durable session, which remembers what it ever received.
import { connect, type MqttClient } from 'mqtt'
import { eventually } from '../helpers/eventually.ts'
import type { Source, SourcePayload } from './load-sources.ts'
import { unpack } from 'msgpackr'

const SESSION_EXPIRY_S = 3600

export class DurableSession implements AsyncDisposable {
  readonly #clientId: string
  readonly #version: 4 | 5
  readonly #received = new Map<string, Set<number>>()
  #client: MqttClient | null = null
  /** Times a number came that had come before. */
  repeats = 0
  /** Times a number came for the first time after a higher one of the same device. */
  disorders = 0

  constructor(clientId: string, version: 4 | 5) {
    this.#clientId = clientId
    this.#version = version
  }

  /** Connects; from then on it comes back by itself until `leave`. */
  async join(port: number, subscribeTo?: string): Promise<void> {
    const client = connect({
      host: '127.0.0.1',
      port,
      clientId: this.#clientId,
      protocolVersion: this.#version,
      clean: false,
      reconnectPeriod: 50,
      resubscribe: false, // the server remembers, or it fails the test
      ...(this.#version === 5 ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_S } } : {})
    })
    this.#client = client
    client.on('error', () => {}) // it comes back
    client.on('message', (topic, payload) => this.#take(topic, payload))
    await eventually(() => client.connected, { what: `a session of ${this.#clientId}` })
    if (subscribeTo !== undefined) await client.subscribeAsync(subscribeTo, { qos: 1 })
  }

  /** Goes offline with a DISCONNECT; the session stays at the server. */
  async leave(): Promise<void> {
    await this.#client?.endAsync()
    this.#client = null
  }

  /** How many acknowledged events of these sources it has not received. */
  missing(sources: readonly Source[]): number {
    let count = 0
    for (const source of sources) {
      const received = this.#received.get(source.name)
      for (let n = 1; n <= source.sent; n++)
        if (source.wasAcknowledged(n) && received?.has(n) !== true) count++
    }
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.endAsync(true)
  }

  #take(topic: string, payload: Buffer): void {
    const { from, n } = (
      payload[0] === 0x7b ? JSON.parse(payload.toString()) : unpack(payload)
    ) as SourcePayload
    if (topic !== `load/${from}`) throw new Error(`an event of ${from} came on ${topic}`)
    let numbers = this.#received.get(from)
    if (numbers === undefined) this.#received.set(from, (numbers = new Set()))
    if (numbers.has(n)) this.repeats++
    else if (n !== numbers.size + 1) this.disorders++
    numbers.add(n)
  }
}
