// Values as people want to read them in one line. Pure.

const CHARS_MAX = 300
const CONTROL_CHARACTERS = /\p{Cc}+/gu

/** A value as short text on one line; `?` for what has none. */
export function shortText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return oneLine(value)
    case 'number':
      return shortNumber(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return value === undefined ? '?' : objectText(value)
  }
}

/** A number with three decimals at most, or three significant digits where it is smaller than that shows. */
export function shortNumber(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value)
  return String(Math.abs(value) >= 0.001 ? Number(value.toFixed(3)) : Number(value.toPrecision(3)))
}

function objectText(value: unknown): string {
  if (value === null) return 'null'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '?' : value.toISOString()
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
    try {
      return oneLine(JSON.stringify(value, jsonValue))
    } catch {
      return '?' // nested too deeply
    }
  }
  // Durations and the like of the expressions' language say themselves what they are.
  const text = String(value)
  return text.startsWith('[object') ? '?' : oneLine(text)
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? Number(shortNumber(value)) : value
}

function oneLine(text: string): string {
  const short = text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX - 1)}…` : text
  return short.replace(CONTROL_CHARACTERS, ' ').toWellFormed()
}
