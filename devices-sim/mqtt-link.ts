// A device's connection over MQTT: one MQTT.js client for each connection, QoS 1. What is resent after a loss comes
// from the device's outbox, not from MQTT.js, so that nothing acknowledged is sent again.
import { connect, type Socket } from 'node:net'
import { MqttClient, type IClientOptions } from 'mqtt'
import {
  errorReason,
  type Link,
  type LinkIdentity,
  type LinkOwner,
  type Sending,
  type Target
} from './link.ts'
import type { OutgoingEvent } from './outbox.ts'
import { jsonPayload } from './payload.ts'
import { WheelTimer, type TimerWheel } from './timer-wheel.ts'

/** Most events in flight, whatever the server allows: a device has little memory. */
const WINDOW_EVENTS = 64

export interface MqttLinkOptions {
  target: Target
  identity: LinkIdentity
  version: 4 | 5
  wheel: TimerWheel
  connectTimeoutMs: number
}

/** The MQTT side of one simulated device. */
export class MqttLink implements Link {
  readonly #options: MqttLinkOptions
  readonly #owner: LinkOwner
  readonly #settings: IClientOptions
  #client: MqttClient | null = null
  #socket: Socket | null = null
  #up = false
  #window = WINDOW_EVENTS
  #inflight = 0
  /** Number of the next event to send on this connection. */
  #nextN = 1

  constructor(options: MqttLinkOptions, owner: LinkOwner) {
    this.#options = options
    this.#owner = owner
    const { identity } = options
    this.#settings = {
      clientId: identity.id,
      ...(identity.token === null ? {} : { username: identity.id, password: identity.token }),
      protocolVersion: options.version,
      keepalive: identity.keepaliveS,
      connectTimeout: options.connectTimeoutMs,
      clean: true,
      reconnectPeriod: 0,
      manualConnect: true,
      reschedulePings: false, // a ping too many costs less than a timer set anew at each answer
      timerVariant: wheelIntervals(options.wheel),
      log: () => {}
    }
  }

  open(): void {
    const client = new MqttClient(() => this.#connect(), { ...this.#settings })
    this.#client = client
    this.#inflight = 0
    client.on('connect', packet => {
      if (client !== this.#client) return
      this.#up = true
      this.#window = Math.min(WINDOW_EVENTS, packet.properties?.receiveMaximum ?? WINDOW_EVENTS)
      this.#nextN = this.#owner.outbox.firstN
      this.#owner.onUp()
      this.pump()
    })
    client.on('disconnect', packet => this.#owner.onError(`mqtt-disconnect-${packet.reasonCode ?? 0}`))
    client.on('error', error => this.#owner.onError(mqttReason(error)))
    client.on('close', () => this.#closed(client))
    client.connect()
  }

  pump(): void {
    if (!this.#up) return
    const { outbox } = this.#owner
    while (this.#nextN <= outbox.lastN && this.#inflight < this.#window) {
      const event = outbox.get(this.#nextN++)
      if (event === undefined) continue
      const first = event.sentMs === 0
      this.#publish(event, first ? 'first' : 'again')
      if (event.repeat && first) this.#publish(event, 'repeat')
    }
  }

  reset(): void {
    this.#up = false
    this.#socket?.resetAndDestroy()
  }

  close(): void {
    const client = this.#client
    if (client === null) return
    // MQTT.js waits for what is in flight before it says goodbye; a device that leaves now doesn't.
    const force = !this.#up || this.#inflight > 0
    this.#up = false
    client.end(force)
  }

  #connect(): Socket {
    const { host, port } = this.#options.target
    this.#socket = connect({ host, port, noDelay: true })
    return this.#socket
  }

  #publish(event: OutgoingEvent, how: Sending): void {
    const client = this.#client
    if (client === null) return
    this.#inflight++
    this.#owner.onSent(event, how)
    client.publish(event.topic, jsonPayload(event), { qos: 1, dup: how !== 'first' }, error => {
      if (client !== this.#client) return
      if (!error) this.#owner.onAcknowledged(event.n)
      else if ('code' in error && typeof error.code === 'number')
        this.#owner.onRefused(event.n, `mqtt-reason-${error.code}`)
      else return // the connection was closed: the outbox keeps the event
      this.#inflight--
      this.pump()
    })
  }

  #closed(client: MqttClient): void {
    if (client !== this.#client) return
    this.#client = null
    this.#socket = null
    this.#up = false
    this.#owner.onDown()
  }
}

function mqttReason(error: Error): string {
  return 'code' in error && typeof error.code === 'number' ? `mqtt-reason-${error.code}` : errorReason(error)
}

/** MQTT.js's keep-alive timers, on the fleet's wheel. MQTT.js types ids as numbers and only hands them back. */
function wheelIntervals(wheel: TimerWheel): Exclude<IClientOptions['timerVariant'], string | undefined> {
  const timers = new Map<number, WheelTimer>()
  let last = 0
  return {
    set: (callback, everyMs = 0) => {
      const timer: WheelTimer = new WheelTimer(() => {
        wheel.set(timer, everyMs)
        callback()
      })
      wheel.set(timer, everyMs)
      timers.set(++last, timer)
      return last
    },
    clear: id => {
      const timer = timers.get(id)
      if (timer !== undefined) wheel.cancel(timer)
      timers.delete(id)
    }
  }
}
