// What became of events that load sources sent, by comparison of what they know with the log.
import type { Item } from '../helpers/feed-subscriber.ts'
import type { Source, SourcePayload } from './load-sources.ts'

function numbersByDevice(log: readonly Item[]): Map<string, number[]> {
  const byDevice = new Map<string, number[]>()
  for (const { device, payload } of log) {
    const { from, n } = payload as SourcePayload
    if (from !== device) throw new Error(`an event of ${from} is attributed to ${device}`)
    const numbers = byDevice.get(device)
    if (numbers === undefined) byDevice.set(device, [n])
    else numbers.push(n)
  }
  return byDevice
}

/** How many acknowledged events are not in the log. */
export function countLost(sources: readonly Source[], log: readonly Item[]): number {
  const byDevice = numbersByDevice(log)
  let lost = 0
  for (const source of sources) {
    const logged = new Set(byDevice.get(source.name))
    for (let n = 1; n <= source.sent; n++) if (source.wasAcknowledged(n) && !logged.has(n)) lost++
  }
  return lost
}

/** How many events of the sources that promise each of them once are in the log beside that one, in order. */
export function countRepeats(sources: readonly Source[], log: readonly Item[]): number {
  const byDevice = numbersByDevice(log)
  let repeated = 0
  for (const { once, name } of sources) {
    if (!once) continue
    let expected = 1
    for (const n of byDevice.get(name) ?? []) {
      if (n === expected) expected++
      else repeated++
    }
  }
  return repeated
}
