// Durations and sizes as people write them: `30s`, `5m`, `64KiB`. Pure.
import { z } from 'zod'

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

function quantity(units: Record<string, number>, per: number, what: string) {
  const names = Object.keys(units).join(', ')
  return (min: number, max: number) =>
    z.union([z.number(), z.string()]).transform((value, context) => {
      const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(String(value))
      const unit = match?.[2] === '' ? per : units[match?.[2] ?? ''] // a bare number is in the setting's own unit
      const number = match === null || unit === undefined ? Number.NaN : (Number(match[1]) * unit) / per
      if (!Number.isFinite(number) || !Number.isInteger(Math.round(number))) {
        context.addIssue({ code: 'custom', message: `is no ${what}; write a number and one of ${names}` })
        return z.NEVER
      }
      const whole = Math.round(number)
      if (whole < min || whole > max) {
        context.addIssue({ code: 'custom', message: `must be between ${min} and ${max}` })
        return z.NEVER
      }
      return whole
    })
}

/** A duration; a bare number is milliseconds. The result is in milliseconds, bounds too. */
export const milliseconds = quantity(durationUnits, 1, 'duration')
/** A duration; a bare number is seconds. The result is in seconds, bounds too. */
export const seconds = quantity(durationUnits, 1000, 'duration')
/** A size; a bare number is bytes. The result is in bytes, bounds too. */
export const bytes = quantity(sizeUnits, 1, 'size')
