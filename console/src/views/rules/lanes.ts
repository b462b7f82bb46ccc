// The firings of a dry run, laid out by key and over time. Pure.
import type { Firing } from '../../api/shapes.ts'

/** The firings of one key, in their order. */
export interface Lane {
  key: string
  firings: Firing[]
}

export interface Lanes {
  /** The busiest first. */
  lanes: Lane[]
  /** What has no lane of its own. */
  otherKeys: number
  otherFirings: number
}

/** A lane for each key, but for at most `lanesMax`. */
export function lanesOf(firings: readonly Firing[], lanesMax: number): Lanes {
  const byKey = new Map<string, Firing[]>()
  for (const firing of firings) {
    const lane = byKey.get(firing.key)
    if (lane === undefined) byKey.set(firing.key, [firing])
    else lane.push(firing)
  }
  const all = [...byKey]
    .map(([key, own]) => ({ key, firings: own }))
    .toSorted((one, other) => other.firings.length - one.firings.length || (one.key < other.key ? -1 : 1))
  const others = all.slice(lanesMax)
  return {
    lanes: all.slice(0, lanesMax),
    otherKeys: others.length,
    otherFirings: others.reduce((sum, lane) => sum + lane.firings.length, 0)
  }
}

/** ms since 1970 */
export interface TimeRange {
  from: number
  to: number
}

/**
 * The part of a range in which something fired, with some room on each side: a short history would be a thin line at the end
 * of a long range.
 */
export function rangeWithFirings(firings: readonly Firing[], range: TimeRange): TimeRange {
  if (firings.length === 0) return range
  const ranges = firings.map(firing => rangeOfFiring(firing, range))
  const from = ranges.reduce((least, each) => Math.min(least, each.from), range.to)
  const to = ranges.reduce((most, each) => Math.max(most, each.to), from)
  const roomMs = Math.max(1000, (to - from) * 0.05)
  return { from: Math.max(range.from, from - roomMs), to: Math.min(range.to, to + roomMs) }
}

/** When a firing began and ended; one that still fired at the end of the range ends there. */
export function rangeOfFiring({ at, clearedAt }: Firing, { to }: TimeRange): TimeRange {
  const from = Date.parse(at)
  return { from, to: Math.max(from, clearedAt === null ? to : Date.parse(clearedAt)) }
}

/** Where in a range it lies, both from 0 to 1. */
export function barOf(firing: Firing, range: TimeRange): { left: number; width: number } {
  const { from, to } = rangeOfFiring(firing, range)
  const lengthMs = Math.max(1, range.to - range.from)
  const within = (at: number) => Math.min(1, Math.max(0, (at - range.from) / lengthMs))
  return { left: within(from), width: within(to) - within(from) }
}

/** Times for an axis: begin, end, and even steps between. */
export function ticksOf({ from, to }: TimeRange, steps: number): number[] {
  return Array.from({ length: steps + 1 }, (_, at) => from + ((to - from) * at) / steps)
}
