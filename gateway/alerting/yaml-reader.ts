// Reads YAML so that every problem is known with its line, all of them at once. Pure.
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { suggest } from '../../store/suggestion.ts'

export interface Problem {
  /** From 1. */
  line: number
  /** Begins with where in the file it is: `rules[0].when: must be …`. */
  message: string
}

const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
const UNITS_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const DURATION_MAX_MS = 365 * 86_400_000
// Aliases multiply what a short text stands for; a file of rules has no use for many.
const ALIASES_MAX = 100

/** What all places of a file share. */
interface File {
  problems: Problem[]
  lineOf: (node: unknown) => number
}

/**
 * The file's value, null when it is empty, and the problems: those of YAML itself at first, then whatever is noted while
 * places are read.
 */
export function readYaml(text: string): { root: Place | null; problems: Problem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const problems = document.errors.map(({ message, pos }) => ({ line: lines.linePos(pos[0]).line, message }))
  const lineOf = (node: unknown) => lines.linePos(startOf(node) ?? 0).line
  if (problems.length > 0 || document.contents === null) return { root: null, problems }
  try {
    document.toJS({ maxAliasCount: ALIASES_MAX })
  } catch (error) {
    return { root: null, problems: [{ line: 1, message: (error as Error).message }] }
  }
  const file: File = { problems, lineOf }
  const resolve = (node: unknown) => resolveAlias(node, document)
  return {
    root: new Place(
      { node: document.contents, path: '', line: lineOf(document.contents) },
      { file, resolve }
    ),
    problems
  }
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0]
}

function resolveAlias(node: unknown, document: ReturnType<typeof parseDocument>): unknown {
  const alias = node as { resolve?: (document: unknown) => unknown; source?: string } | null
  return typeof alias?.resolve === 'function' ? alias.resolve(document) : node
}

interface Context {
  file: File
  resolve: (node: unknown) => unknown
}

/** A value of the file with its place. What it should be and isn't is noted as a problem, and read as undefined. */
export class Place {
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly #node: unknown
  readonly #context: Context

  constructor({ node, path, line }: { node: unknown; path: string; line: number }, context: Context) {
    this.#node = context.resolve(node)
    this.path = path
    this.line = line
    this.#context = context
  }

  /** The plain value. */
  get value(): unknown {
    const node = this.#node as { toJSON?: () => unknown } | null
    if (isScalar(this.#node)) return this.#node.value
    return typeof node?.toJSON === 'function' ? node.toJSON() : (node ?? null)
  }

  /** Notes a problem here. */
  problem(message: string): undefined {
    this.#context.file.problems.push({
      line: this.line,
      message: this.path === '' ? message : `${this.path}: ${message}`
    })
    return undefined
  }

  /** A mapping with these keys; others are problems. */
  fields(known: readonly string[]): Fields | undefined {
    const entries = this.entries()
    if (entries === undefined) return undefined
    for (const [name, place] of entries) {
      if (known.includes(name)) continue
      const meant = suggest(name, known)
      place.problem(
        `is unknown${meant === null ? `; known are ${known.join(', ')}` : `; did you mean ${meant}?`}`
      )
    }
    return new Fields(this, new Map(entries))
  }

  /** A mapping with any keys, in their order. */
  entries(): [string, Place][] | undefined {
    const node = this.#node
    if (!isMap(node)) return this.problem(`must be a mapping; it is ${show(this.value)}`)
    return node.items.map(({ key, value }) => {
      const name = String(isScalar(key) ? key.value : key)
      const path = this.path === '' ? name : `${this.path}.${name}`
      const line = this.#context.file.lineOf(startOf(value) === undefined ? key : value)
      return [name, new Place({ node: value, path, line }, this.#context)]
    })
  }

  /** A list. */
  items(): Place[] | undefined {
    const node = this.#node
    if (!isSeq(node)) return this.problem(`must be a list; it is ${show(this.value)}`)
    return node.items.map(
      (item, index) =>
        new Place(
          { node: item, path: `${this.path}[${index}]`, line: this.#context.file.lineOf(item) },
          this.#context
        )
    )
  }

  /** A list of texts, or a single one. */
  texts(): string[] | undefined {
    if (!isSeq(this.#node)) {
      const one = this.text()
      return one === undefined ? undefined : [one]
    }
    const texts = this.items()?.map(item => item.text())
    return texts?.every(text => text !== undefined) === true ? texts : undefined
  }

  /** Text that is not empty; a number or a truth value is taken as it is written. */
  text(): string | undefined {
    const node = this.#node
    const value = isScalar(node) ? node.value : null
    if (typeof value === 'number' || typeof value === 'boolean')
      return (isScalar(node) && node.source) || String(value)
    if (typeof value === 'string' && value.trim() !== '') return value
    return this.problem(`must be text; it is ${show(this.value)}`)
  }

  flag(): boolean | undefined {
    const { value } = this
    return typeof value === 'boolean' ? value : this.problem(`must be true or false; it is ${show(value)}`)
  }

  number(): number | undefined {
    const { value } = this
    if (typeof value === 'number' && Number.isFinite(value)) return value
    return this.problem(`must be a number; it is ${show(value)}`)
  }

  /** A whole number within bounds. */
  whole(min: number, max: number): number | undefined {
    const { value } = this
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    return this.problem(`must be a whole number from ${min} to ${max}; it is ${show(value)}`)
  }

  /** A duration such as `30s`, `5m`, `1h30m`, `500ms`, `2d`, at most a year, in ms; `0` is one too. */
  durationMs(): number | undefined {
    const { value } = this
    if (value === 0) return 0
    const ms = typeof value === 'string' ? durationMsOf(value) : null
    if (ms === null) return this.problem(`must be a duration such as 30s, 5m or 1h30m; it is ${show(value)}`)
    if (ms > DURATION_MAX_MS) return this.problem(`must be at most a year; it is ${show(value)}`)
    return ms
  }

  /** One of these words. */
  oneOf<const Word extends string>(words: readonly Word[]): Word | undefined {
    const { value } = this
    const word = words.find(known => known === value)
    return word ?? this.problem(`must be one of ${words.join(', ')}; it is ${show(value)}`)
  }
}

/** The keys of a mapping. */
export class Fields {
  readonly #place: Place
  readonly #places: ReadonlyMap<string, Place>

  constructor(place: Place, places: ReadonlyMap<string, Place>) {
    this.#place = place
    this.#places = places
  }

  has(name: string): boolean {
    return this.#places.has(name)
  }

  /** The value of a key; null when it is not there. */
  at(name: string): Place | null {
    return this.#places.get(name) ?? null
  }

  /** The value of a key that must be there. */
  need(name: string): Place | undefined {
    const place = this.#places.get(name)
    return place ?? this.#place.problem(`needs ${name}`)
  }
}

/** Milliseconds of a duration such as `1h30m`; null when it is none. */
export function durationMsOf(text: string): number | null {
  if (!DURATION.test(text)) return null
  let ms = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    ms += Number(amount) * (UNITS_MS[unit ?? ''] ?? 0)
  return Math.round(ms)
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
