// The load of the slow-subscriber scenario: a raw TCP device that ticks, and an MQTT client that sends much.
import { eventually } from '../helpers/eventually.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { RawTcpDevice } from '../helpers/raw-tcp-device.ts'
import type { ServerProcess } from '../helpers/server-process.ts'
import { fillingPayload, type TickEvent } from './slow-events.ts'

/** 2 MB/s for everybody who subscribes to it. */
const BULK = { everyMs: 25, bytes: 50_000 }

export class SlowLoad implements AsyncDisposable {
  /** Highest number sent on each topic. */
  readonly sent = { tick: 0, bulk: 0 }
  readonly #ticker: RawTcpDevice
  readonly #bulk: RawMqttClient
  readonly #timers: NodeJS.Timeout[] = []
  #acknowledgedBulk = 0

  private constructor(ticker: RawTcpDevice, bulk: RawMqttClient) {
    this.#ticker = ticker
    this.#bulk = bulk
  }

  static async connect({ ports }: ServerProcess): Promise<SlowLoad> {
    return new SlowLoad(
      await RawTcpDevice.connect({ port: ports.tcp, device: 'ticker', stream: 'ticks' }),
      await RawMqttClient.connect({ port: ports.mqtt, clientId: 'bulk' })
    )
  }

  get bulkBytes(): number {
    return this.sent.bulk * BULK.bytes
  }

  startTicks(everyMs: number): void {
    this.#atRate(everyMs, () => {
      const event: TickEvent = { n: ++this.sent.tick, sentMs: performance.now() }
      this.#ticker.send(event.n, 'tick', event)
    })
  }

  startBulk(): void {
    this.#atRate(BULK.everyMs, () => {
      const payload = fillingPayload(++this.sent.bulk, BULK.bytes)
      this.#bulk.publish('bulk', payload, () => this.#acknowledgedBulk++)
    })
  }

  /** Makes up for timers that come late, so that a busy machine gets the same load. */
  #atRate(everyMs: number, send: () => void): void {
    const startMs = performance.now()
    let count = 0
    const sendDue = () => {
      for (; count * everyMs < performance.now() - startMs; count++) send()
    }
    this.#timers.push(setInterval(sendDue, everyMs))
  }

  /** Sends no more, and waits for all acknowledgements. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    const { tick, bulk } = this.sent
    const all = () => this.#ticker.acknowledged === tick && this.#acknowledgedBulk === bulk
    await eventually(all, { what: 'acknowledgement of the load' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#ticker[Symbol.asyncDispose]()
    await this.#bulk[Symbol.asyncDispose]()
  }
}
