// What a device measures: numbers and states over time, from a profile and a stream of random numbers. No clock of
// its own: the caller says what time it is.
import type { SignalProfile } from './profile.ts'
import type { Random } from './random.ts'

/** The moment of a measurement. */
export interface Moment {
  /** ms since the device's start */
  atMs: number
  /** Hour of the simulated day, 0 ≤ hour < 24. */
  hour: number
  /** Hours of the simulated day since the measurement before. */
  elapsedHours: number
}

export type Value = number | string | boolean
/** Measures; to be called with growing times, as each measurement may depend on the one before. */
export type Signal = (moment: Moment) => Value

type Of<Name extends SignalProfile['signal']> = Extract<SignalProfile, { signal: Name }>

/** Makes the signal that a profile describes. */
export function createSignal(profile: SignalProfile, random: Random): Signal {
  switch (profile.signal) {
    case 'daily':
      return daily(profile, random)
    case 'walk':
      return walk(profile, random)
    case 'counter':
      return counter(profile, random)
    case 'toggle':
      return toggle(profile, random)
  }
}

function daily(profile: Of<'daily'>, random: Random): Signal {
  const own = profile.amplitude * random.between(-0.15, 0.15) // no two devices measure quite the same
  const departure = excursions(profile.excursion, random)
  return ({ atMs, hour }) => {
    const curve = profile.amplitude * Math.cos(((hour - profile.peakHour) / 24) * 2 * Math.PI)
    const noise = profile.noise * random.normal()
    return within(profile, profile.mean + own + curve + noise + departure(atMs))
  }
}

function walk(profile: Of<'walk'>, random: Random): Signal {
  let place = profile.mean
  const departure = excursions(profile.excursion, random)
  return ({ atMs }) => {
    place += profile.step * random.normal() + profile.pull * (profile.mean - place)
    place = Math.max(profile.min ?? -Infinity, Math.min(profile.max ?? Infinity, place))
    return within(profile, place + departure(atMs))
  }
}

function counter(profile: Of<'counter'>, random: Random): Signal {
  let total = profile.start
  return ({ elapsedHours }) => {
    total += profile.perHour * elapsedHours * random.between(0.5, 1.5)
    return rounded(total, profile.decimals)
  }
}

function toggle(profile: Of<'toggle'>, random: Random): Signal {
  let on = false
  return () => {
    if (random.chance(on ? profile.turnsOff : profile.turnsOn)) on = !on
    return on ? profile.on : profile.off
  }
}

type Excursion = Of<'daily'>['excursion']

/** How far the value departs from the usual: rises over a quarter of the time, stays, and returns. */
function excursions(profile: Excursion, random: Random): (atMs: number) => number {
  if (profile === undefined) return () => 0
  let beganMs = -Infinity
  return atMs => {
    const progress = (atMs - beganMs) / profile.lasts
    if (progress < 1) return profile.by * Math.min(1, progress * 4, (1 - progress) * 4)
    if (random.chance(profile.probability)) beganMs = atMs
    return 0
  }
}

function within(
  profile: { min?: number | undefined; max?: number | undefined; decimals: number },
  value: number
) {
  const bounded = Math.max(profile.min ?? -Infinity, Math.min(profile.max ?? Infinity, value))
  return rounded(bounded, profile.decimals)
}

function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals
  return Math.round(value * factor) / factor + 0 // + 0: no negative zero
}
