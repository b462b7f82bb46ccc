// The types of settings as people write them: `30s`, `64KiB`, `true`, `a, b`. Pure.
// Each takes what a file holds (any YAML value) as well as the text of an environment variable or a flag.
import { z } from 'zod'

/** What a setting is, for the example file, the help and the reading of text. */
export interface SettingType {
  kind: 'duration' | 'size' | 'count' | 'flag' | 'list' | 'text' | 'choice' | 'rules'
  /** Unit of a bare number, for durations and sizes. */
  unit?: 'ms' | 's' | 'bytes'
}

const durationUnits: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const sizeUnits: Record<string, number> = {
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3
}

/** A parser of one setting: `parse` gives the value, or a sentence on what it must be. */
function setting<Value>(type: SettingType, parse: (value: unknown) => Value | Refused) {
  return z
    .unknown()
    .transform((value, context): Value => {
      const parsed = value === null ? new Refused('has no value') : parse(value)
      if (!(parsed instanceof Refused)) return parsed
      context.addIssue({ code: 'custom', message: parsed.message })
      return z.NEVER
    })
    .meta({ setting: type })
}

class Refused {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

function quantity(units: Record<string, number>, per: number, type: SettingType) {
  const names = Object.keys(units).join(', ')
  const what = type.kind === 'duration' ? 'a duration' : 'a size'
  return (min: number, max: number) =>
    setting(type, value => {
      const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(String(value))
      const unit = match?.[2] === '' ? per : units[match?.[2] ?? ''] // a bare number is in the setting's own unit
      if (match === null || unit === undefined)
        return new Refused(`must be ${what}: a number, with or without one of ${names}; it is ${show(value)}`)
      return within(Math.round((Number(match[1]) * unit) / per), min, max, type.unit)
    })
}

function within(value: number, min: number, max: number, unit?: string): number | Refused {
  if (value >= min && value <= max) return value
  return new Refused(
    `must be between ${min} and ${max}${unit === undefined ? '' : ` ${unit}`}; it is ${value}`
  )
}

/** A duration; a bare number is milliseconds. The result is in milliseconds, bounds too. */
export const milliseconds = quantity(durationUnits, 1, { kind: 'duration', unit: 'ms' })
/** A duration; a bare number is seconds. The result is in seconds, bounds too. */
export const seconds = quantity(durationUnits, 1000, { kind: 'duration', unit: 's' })
/** A size; a bare number is bytes. The result is in bytes, bounds too. */
export const bytes = quantity(sizeUnits, 1, { kind: 'size', unit: 'bytes' })

/** A whole number within bounds. */
export const count = (max: number, min = 0) =>
  setting({ kind: 'count' }, value => {
    if (!/^\s*-?\d+\s*$/.test(String(value)))
      return new Refused(`must be a whole number between ${min} and ${max}; it is ${show(value)}`)
    return within(Number(value), min, max)
  })

/** True or false. */
export const flag = () =>
  setting({ kind: 'flag' }, value => {
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    return new Refused(`must be true or false; it is ${show(value)}`)
  })

/** Text that isn't empty. A number that a file holds unquoted is taken as it is written. */
export const text = () =>
  setting({ kind: 'text' }, value => {
    const written = typeof value === 'number' ? String(value) : value
    if (typeof written === 'string' && written.trim() !== '') return written
    return new Refused(`must be text; it is ${show(value)}`)
  })

/** Text that may be empty, which stands for nothing. */
export const optionalText = () =>
  setting({ kind: 'text' }, value => {
    const written = typeof value === 'number' ? String(value) : value
    return typeof written === 'string' ? written.trim() : new Refused(`must be text; it is ${show(value)}`)
  })

/** One of a few words. */
export const choice = <const Word extends string>(words: readonly Word[]) =>
  setting({ kind: 'choice' }, value => {
    const word = words.find(candidate => candidate === value)
    return word ?? new Refused(`must be one of ${words.join(', ')}; it is ${show(value)}`)
  })

/** A list of texts; in one text, separated by commas. */
export const list = () =>
  setting({ kind: 'list' }, value => {
    if (typeof value === 'string') {
      const parts = value.split(',').map(part => part.trim())
      return parts.filter(part => part !== '')
    }
    if (Array.isArray(value) && value.every(part => typeof part === 'string')) return value
    return new Refused(`must be a list of texts; it is ${show(value)}`)
  })

/** A value as a message shows it, shortened. */
function show(value: unknown): string {
  const written = JSON.stringify(value) ?? String(value)
  return written.length > 60 ? `${written.slice(0, 60)}…` : written
}
