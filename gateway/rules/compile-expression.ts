// Makes expressions of texts: what can be known to be wrong is known when the file is read, the rest is thrown later.
import type { ParseResult } from '@marcbachmann/cel-js'
import type { Expression, Scope } from './expression.ts'
import type { Language } from './language.ts'

/** What an expression is to give. `text` takes numbers and truth values too; `any` takes everything. */
interface Results {
  condition: boolean
  number: number
  text: string
  any: unknown
}

export type Compiled<Value> = { ok: true; value: Value } | { ok: false; problem: string }

const SOURCE_CHARS_MAX = 4000
/** Longest text that an expression may give as a key or as an alarm's value. */
export const TEXT_CHARS_MAX = 1024

/** The expression, or in a line what is wrong with it. */
export function compileExpression<Kind extends keyof Results>(
  source: string,
  kind: Kind,
  language: Language
): Compiled<Expression<Results[Kind]>> {
  const known = source.trim()
  if (kind === 'text' && (known === 'device' || known === 'topic') && language.variables.includes(known))
    return { ok: true, value: variable(known) as Expression<Results[Kind]> }
  const read = readExpression(source, language)
  if (!read.ok) return read
  const { program, type } = read.value
  if (!resultTypes[kind].includes(type) && kind !== 'any')
    return { ok: false, problem: `must give ${resultWords[kind]}; it gives ${wordOf(type)}` }
  // A timestamp is made of the time only where one is asked for.
  const timed = /\bat\b/.test(source)
  const convert = converters[kind]
  return {
    ok: true,
    value: {
      source,
      evaluate(scope) {
        try {
          return convert(program(timed ? new TimedScope(scope) : scope))
        } catch (error) {
          throw withoutExcerpt(error)
        }
      }
    }
  }
}

const resultTypes: Record<keyof Results, readonly string[]> = {
  condition: ['bool', 'dyn'],
  number: ['double', 'int', 'dyn'],
  text: ['string', 'double', 'int', 'bool', 'dyn'],
  any: []
}
const resultWords = { condition: 'true or false', number: 'a number', text: 'text', any: 'a value' }
const typeWords: Record<string, string> = {
  bool: 'true or false',
  double: 'a number',
  int: 'a number',
  string: 'text',
  null: 'null',
  list: 'a list',
  map: 'a map',
  'google.protobuf.Timestamp': 'a timestamp',
  'google.protobuf.Duration': 'a duration'
}

function wordOf(type: string): string {
  return typeWords[type.replace(/<.*/, '')] ?? type
}

const converters: { [Kind in keyof Results]: (value: unknown) => Results[Kind] } = {
  condition(value) {
    if (typeof value === 'boolean') return value
    throw new Error(`gave ${kindOf(value)} where true or false was needed`)
  },
  number(value) {
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number === 'number' && Number.isFinite(number)) return number
    throw new Error(`gave ${kindOf(value)} where a number was needed`)
  },
  text(value) {
    if (typeof value === 'object' || value === undefined)
      throw new Error(`gave ${kindOf(value)} where text was needed`)
    const text = String(value)
    if (text.length > TEXT_CHARS_MAX) throw new Error(`gave more than ${TEXT_CHARS_MAX} characters of text`)
    return text
  },
  any: value => value
}

function readExpression(
  source: string,
  language: Language
): Compiled<{ program: ParseResult; type: string }> {
  if (source.length > SOURCE_CHARS_MAX)
    return { ok: false, problem: `must have at most ${SOURCE_CHARS_MAX} characters` }
  // Expressions see what devices send; JavaScript's regular expressions can take them exponential time.
  if (/\bmatches\s*\(/.test(source))
    return { ok: false, problem: 'has no matches(): use glob(text, "a*b"), startsWith, endsWith or contains' }
  let program: ParseResult
  try {
    program = language.environment.parse(source)
  } catch (error) {
    return { ok: false, problem: problemOf(error, language) }
  }
  const { valid, type, error } = program.check()
  if (!valid) return { ok: false, problem: problemOf(error, language) }
  return { ok: true, value: { program, type: type ?? 'dyn' } }
}

function variable(name: 'device' | 'topic'): Expression<string> {
  return { source: name, evaluate: scope => scope[name] }
}

/** The scope with its time as CEL's timestamp. */
class TimedScope {
  readonly #scope: Scope
  readonly topic: string
  readonly device: string
  readonly severity: string
  readonly reason: string
  readonly rate: number
  readonly key: string
  readonly rule: string
  readonly count: number
  readonly at: Date

  constructor(scope: Scope) {
    this.#scope = scope
    this.topic = scope.topic
    this.device = scope.device
    this.severity = scope.severity
    this.reason = scope.reason
    this.rate = scope.rate
    this.key = scope.key
    this.rule = scope.rule
    this.count = scope.count
    this.at = new Date(scope.at)
  }

  // Not copied: it may be read only when it is asked for.
  get payload(): unknown {
    return this.#scope.payload
  }
}

// The library's messages draw the source below the sentence; lists of problems and of errors have one line for each.
function withoutExcerpt(error: unknown): unknown {
  if (error instanceof Error && 'summary' in error) error.message = plain(error)
  return error
}

function problemOf(error: unknown, language: Language): string {
  const message = plain(error)
  const place = (error as { range?: { start: number } }).range
  if (message.startsWith('Unknown variable')) return `${message}; known are ${language.variables.join(', ')}`
  return place === undefined ? message : `${message}, at character ${place.start + 1}`
}

function plain(error: unknown): string {
  const { summary, message } = error as { summary?: unknown; message?: unknown }
  const text = typeof summary === 'string' ? summary : String(message)
  return text.split('\n', 1)[0] ?? text
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : String(value)
  if (typeof value === 'bigint') return 'a number'
  if (typeof value === 'boolean') return 'true or false'
  return typeof value === 'string' ? 'text' : 'a map'
}
