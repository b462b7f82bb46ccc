// What a device said last, in a few words. Pure.
import type { LastEvent } from '../../api/shapes.ts'
import { payloadLine } from '../../format.ts'
import { texts } from '../../texts.ts'

const FIELDS_MAX = 4
const TEXT_MAX = 24
const LINE_MAX = 120

const fractionFormat = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 2, useGrouping: false })
const smallFormat = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3, useGrouping: false })

/** The values of an event: `celsius 21.4 · humidity 40`; what has no such fields is shown as it is, cut. */
export function lastValuesText({ payload, truncated, encoding }: LastEvent): string {
  if (truncated) return texts.devices.largePayload
  if (typeof payload === 'number') return numberText(payload)
  const isFields = typeof payload === 'object' && payload !== null && !Array.isArray(payload)
  if (!isFields || encoding !== undefined) return payloadLine(payload, LINE_MAX)
  const fields = fieldsOf(payload)
  if (fields.length === 0) return payloadLine(payload, LINE_MAX)
  const shown = fields.slice(0, FIELDS_MAX).map(([name, value]) => `${name} ${value}`)
  return [...shown, ...(fields.length > FIELDS_MAX ? ['…'] : [])].join(' · ')
}

/** Numbers, yes and no, and short texts, numbers first; one level of objects within is looked into. */
function fieldsOf(payload: object): [name: string, value: string][] {
  const flat = Object.entries(payload as Record<string, unknown>).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value as Record<string, unknown>).map(
          ([inner, held]) => [`${name}.${inner}`, held] as const
        )
      : [[name, value] as const]
  )
  const numbers = flat.flatMap(([name, value]): [string, string][] =>
    typeof value === 'number' ? [[name, numberText(value)]] : []
  )
  const others = flat.flatMap(([name, value]): [string, string][] =>
    typeof value === 'boolean' || (typeof value === 'string' && value !== '' && value.length <= TEXT_MAX)
      ? [[name, String(value)]]
      : []
  )
  return [...numbers, ...others]
}

/** Whole numbers as they are: they may be counters or times. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value)
  return (Math.abs(value) < 1 ? smallFormat : fractionFormat).format(value)
}
