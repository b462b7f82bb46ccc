// Durable MQTT sessions, which remember what they ever received.
import { connect, type MqttClient } from 'mqtt'
import { eventually } from '../helpers/eventually.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { Reception } from './reception.ts'

const SESSION_EXPIRY_S = 3600

/** A session of MQTT.js, which comes back by itself. */
export class DurableSession implements AsyncDisposable {
  readonly reception: Reception
  readonly #clientId: string
  readonly #version: 4 | 5
  #client: MqttClient | null = null

  /** `reception`: what several sessions receive together. */
  constructor(clientId: string, version: 4 | 5, reception = new Reception()) {
    this.#clientId = clientId
    this.#version = version
    this.reception = reception
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
    client.on('message', (topic, payload) => this.reception.take(topic, payload))
    await eventually(() => client.connected, { what: `a session of ${this.#clientId}` })
    if (subscribeTo !== undefined) await client.subscribeAsync(subscribeTo, { qos: 1 })
  }

  /** Goes offline with a DISCONNECT; the session stays at the server. */
  async leave(): Promise<void> {
    await this.#client?.endAsync()
    this.#client = null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.endAsync(true)
  }
}

/** A session whose client stops reading and then is gone, with all that had reached its socket. */
export class FaintingSession implements AsyncDisposable {
  readonly reception = new Reception()
  readonly #clientId: string
  #client: RawMqttClient | null = null

  constructor(clientId: string) {
    this.#clientId = clientId
  }

  async join(port: number, subscribeTo?: string): Promise<void> {
    if (this.#client?.ended === false) return
    this.#client = await RawMqttClient.connect({
      port,
      clientId: this.#clientId,
      clean: false,
      onMessage: ({ topic, payload }) => this.reception.take(topic, payload as Buffer)
    })
    if (subscribeTo !== undefined) await this.#client.subscribe(subscribeTo, 1)
  }

  /** Reads no more. */
  faint(): void {
    this.#client?.socket.pause()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]()
  }
}
