// Devices that send as fast as they are acknowledged, and remember what was. Each numbers its events from 1 on and
// sends again, after a lost connection, what was not acknowledged.
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { RawTcpDevice } from '../helpers/raw-tcp-device.ts'
import type { ServerPorts } from '../helpers/server-process.ts'

const STREAM = 'load'

/** What an event of a source says. */
export interface SourcePayload {
  from: string
  n: number
}

/** Where sources send to: a `ServerProcess`, or another broker. */
export interface LoadTarget {
  /** 127.0.0.1 without. */
  readonly host?: string
  readonly ports: Pick<ServerPorts, 'mqtt'> & Partial<ServerPorts>
  readonly adminToken?: string
  /** Of registered devices, by their names. */
  readonly tokens?: Readonly<Record<string, string>>
  /** After so long a silence, s, the server may take a device for gone; never without. */
  readonly keepaliveS?: number
}

/** How a source says over MQTT who it is, and where. */
export function mqttConnection(name: string, { host, ports, tokens, keepaliveS }: LoadTarget) {
  const token = tokens?.[name]
  return {
    port: ports.mqtt,
    clientId: name,
    ...(host === undefined ? {} : { host }),
    ...(token === undefined ? {} : { username: name, password: token }),
    ...(keepaliveS === undefined ? {} : { keepaliveS })
  }
}

/** A device under load. */
export interface Source {
  readonly name: string
  readonly protocol: 'mqtt' | 'tcp' | 'http'
  /** Whether the log must have each of its events once, in order, however often it was sent. */
  readonly once: boolean
  /** Highest number it has sent. */
  readonly sent: number
  /** How many numbers were acknowledged. */
  readonly acknowledged: number
  wasAcknowledged(n: number): boolean
  /** Connects, sends again what is open, and goes on with new events while it runs. Says what is wrong with the welcome. */
  connect(target: LoadTarget): Promise<string | null>
  /** Whether new events are sent. */
  run(running: boolean): void
  /** Resolves when the connection is gone and everything that had arrived on it was taken into account. */
  closed(): Promise<void>
  close(): Promise<void>
}

export interface SourceOptions {
  name: string
  /** Most events sent and not acknowledged. */
  window: number
}

/** QoS 1 over MQTT, alternately 3.1.1 and 5. */
export class MqttSource implements Source {
  readonly protocol = 'mqtt'
  readonly once = false
  readonly name: string
  readonly #window: number
  readonly #version: 4 | 5
  readonly #acknowledged = new Set<number>()
  #client: RawMqttClient | null = null
  #open = new Set<number>()
  #running = false
  sent = 0

  constructor({ name, window, version }: SourceOptions & { version: 4 | 5 }) {
    this.name = name
    this.#window = window
    this.#version = version
  }

  get acknowledged(): number {
    return this.#acknowledged.size
  }

  wasAcknowledged(n: number): boolean {
    return this.#acknowledged.has(n)
  }

  async connect(target: LoadTarget): Promise<string | null> {
    this.#client = await RawMqttClient.connect({
      ...mqttConnection(this.name, target),
      version: this.#version
    })
    const code = this.#client.connack?.reasonCode ?? this.#client.connack?.returnCode
    if (code !== 0) return `CONNACK ${code}`
    for (const n of this.#open) this.#publish(n)
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
      this.#open.add(++this.sent)
      this.#publish(this.sent)
    }
  }

  #publish(n: number): void {
    const payload: SourcePayload = { from: this.name, n }
    this.#client?.publish(`load/${this.name}`, JSON.stringify(payload), reasonCode => {
      if (reasonCode !== 0) throw new Error(`PUBACK ${reasonCode}`)
      this.#open.delete(n)
      this.#acknowledged.add(n)
      this.#pump()
    })
  }
}

/** A named stream over raw TCP. */
export class TcpSource implements Source {
  readonly protocol = 'tcp'
  readonly once = true
  readonly name: string
  readonly #window: number
  #device: RawTcpDevice | null = null
  #running = false
  sent = 0
  acknowledged = 0

  constructor({ name, window }: SourceOptions) {
    this.name = name
    this.#window = window
  }

  wasAcknowledged(n: number): boolean {
    return n <= this.acknowledged
  }

  async connect({ host, ports, tokens, keepaliveS }: LoadTarget): Promise<string | null> {
    const token = tokens?.[this.name]
    const onAck = (seq: number) => {
      this.acknowledged = Math.max(this.acknowledged, seq)
      this.#pump()
    }
    const device = await RawTcpDevice.connect({
      port: ports.tcp ?? 0,
      device: this.name,
      stream: STREAM,
      onAck,
      ...(host === undefined ? {} : { host }),
      ...(token === undefined ? {} : { token }),
      ...(keepaliveS === undefined ? {} : { keepaliveS })
    })
    const { welcome } = device
    if (welcome === null) return JSON.stringify(device.errors)
    const { lastSeq } = welcome
    if (lastSeq < this.acknowledged)
      return `the server goes on after ${lastSeq} and acknowledged ${this.acknowledged}`
    if (lastSeq > this.sent) return `the server goes on after ${lastSeq} and got ${this.sent}`
    this.#device = device
    this.acknowledged = lastSeq
    for (let n = lastSeq + 1; n <= this.sent; n++) this.#send(n)
    this.#pump()
    return null
  }

  run(running: boolean): void {
    this.#running = running
    this.#pump()
  }

  async closed(): Promise<void> {
    await this.#device?.closed
  }

  async close(): Promise<void> {
    await this.#device?.[Symbol.asyncDispose]()
  }

  #pump(): void {
    while (this.#running && this.#device?.ended === false && this.sent - this.acknowledged < this.#window)
      this.#send(++this.sent)
  }

  #send(n: number): void {
    const payload: SourcePayload = { from: this.name, n }
    this.#device?.send(n, `load/${this.name}`, payload)
  }
}

/** Some devices of both protocols. */
export function loadSources({ each, window }: { each: number; window: number }): Source[] {
  return Array.from({ length: each }, (_, index) => [
    new MqttSource({ name: `mqtt-${index}`, window, version: index % 2 === 0 ? 4 : 5 }),
    new TcpSource({ name: `tcp-${index}`, window })
  ]).flat()
}

/** Connects them all. Throws when one is not welcomed as it should be. */
export async function connectSources(sources: readonly Source[], target: LoadTarget): Promise<void> {
  const problems = await Promise.all(sources.map(source => source.connect(target)))
  const problem = problems.find(text => text !== null)
  if (problem !== undefined) throw new Error(problem)
}

export function totalAcknowledged(sources: readonly Source[]): number {
  return sources.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
}

/** How many events were sent and not acknowledged. */
export function totalOpen(sources: readonly Source[]): number {
  return sources.reduce((sum, { sent, acknowledged }) => sum + sent - acknowledged, 0)
}
