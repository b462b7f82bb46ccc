// What one subscriber has received of the load sources, over all its connections.
import { unpack } from 'msgpackr'
import type { Source, SourcePayload } from './load-sources.ts'

export class Reception {
  readonly #received = new Map<string, Set<number>>()
  /** Times a number came that had come before. */
  repeats = 0
  /** Times a number came for the first time after a higher one of the same device. */
  disorders = 0

  /** Takes a message as MQTT brings it: JSON of an MQTT device, MessagePack of a raw TCP device. */
  take(topic: string, payload: Buffer): void {
    const value: unknown = payload[0] === 0x7b ? JSON.parse(payload.toString()) : unpack(payload)
    const { from, n } = value as SourcePayload
    if (topic !== `load/${from}`) throw new Error(`an event of ${from} came on ${topic}`)
    let numbers = this.#received.get(from)
    if (numbers === undefined) this.#received.set(from, (numbers = new Set()))
    if (numbers.has(n)) this.repeats++
    else if (n !== numbers.size + 1) this.disorders++
    numbers.add(n)
  }

  /** How many different events have come. */
  get count(): number {
    return [...this.#received.values()].reduce((sum, numbers) => sum + numbers.size, 0)
  }

  /** How many acknowledged events of these sources have not come. */
  missing(sources: readonly Source[]): number {
    let count = 0
    for (const source of sources) {
      const received = this.#received.get(source.name)
      for (let n = 1; n <= source.sent; n++)
        if (source.wasAcknowledged(n) && received?.has(n) !== true) count++
    }
    return count
  }
}
