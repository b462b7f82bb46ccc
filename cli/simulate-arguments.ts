// Option values of the commands that play a fleet: text in, a value or commander's complaint out.
import { InvalidArgumentError } from 'commander'
import type { Target } from '../devices-sim/link.ts'

/** Most devices of a simulated fleet. */
export const DEVICES_MAX = 15_000

/** Events a second, of the whole fleet or of each device. */
export interface Rate {
  eventsPerSecond: number
  each: boolean
}

/** Collects a repeatable option. */
export function gather(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

/** A number of devices. */
export function devicesArgument(value: string): number {
  const count = Number(value)
  if (Number.isInteger(count) && count >= 1 && count <= DEVICES_MAX) return count
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${DEVICES_MAX}.`)
}

/** `1000`, or `0.5/device`. */
export function rateArgument(value: string): Rate {
  const [, digits, each] = /^(\d+(?:\.\d+)?)(\/device)?$/.exec(value) ?? []
  const eventsPerSecond = Number(digits)
  if (eventsPerSecond > 0 && eventsPerSecond <= 1e6) return { eventsPerSecond, each: each !== undefined }
  throw new InvalidArgumentError('It must be a number such as 1000, or one such as 0.5/device.')
}

/** A time such as `30s`, in ms; `0` is without end: undefined. */
export function timeArgument(value: string): number | undefined {
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(value) ?? []
  const ms = Number(digits) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit] ?? Number.NaN)
  if (ms >= 0 && ms < 2 ** 31) return ms === 0 ? undefined : ms
  throw new InvalidArgumentError('It must be a time such as 30s, 5m or 2h, at most 596h; 0 is without end.')
}

/** `host:port`, an IPv6 address in brackets. */
export function targetArgument(value: string): Target {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host !== undefined && port > 0 && port < 65_536) return { host, port }
  throw new InvalidArgumentError('It must be host:port, such as 127.0.0.1:1883.')
}

/** Devices that start in a second. */
export function rampArgument(value: string): number {
  const perSecond = Number(value)
  if (perSecond > 0 && perSecond <= 100_000) return perSecond
  throw new InvalidArgumentError('It must be a number above 0.')
}
