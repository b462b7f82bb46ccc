// Reads the fields of a request's body; what is wrong with them is gathered, so that all of it is said at once. Pure.
import { GatewayError } from '../errors.ts'

export interface BodyProblem {
  /** Such as `body/labels/site`. */
  path: string
  message: string
}

const LABELS_MAX = 64
const LABEL_NAME_CHARS_MAX = 128
const LABEL_VALUE_CHARS_MAX = 4096

/** An object of a body, field by field. */
export class OutsideFields {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly problems: BodyProblem[] = []

  constructor(value: unknown, path: string) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    this.#fields = isObject ? (value as Record<string, unknown>) : {}
    this.#path = path
    if (!isObject) this.problems.push({ path, message: 'must be an object' })
  }

  /** Fields with other names are problems. */
  known(names: readonly string[]): void {
    const unknown = Object.keys(this.#fields).find(name => !names.includes(name))
    if (unknown !== undefined)
      this.problems.push({
        path: this.#path,
        message: `has no field "${unknown.slice(0, 40)}"; it has ${names.join(', ')}`
      })
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined
  }

  /** A text of 1 to so many characters; `otherwise` where it is absent, or, with a problem, where it is wrong. */
  text(name: string, { charsMax, otherwise = '' }: { charsMax: number; otherwise?: string }): string {
    const value = this.#fields[name]
    if (value === undefined) return otherwise
    if (typeof value === 'string' && value !== '' && value.length <= charsMax && value.isWellFormed())
      return value
    return this.wrong(name, `must be a text of 1 to ${charsMax} characters`) ?? otherwise
  }

  /** Such a text, which must be there. */
  needText(name: string, charsMax: number): string {
    if (!this.has(name)) this.wrong(name, `is missing; it is a text of 1 to ${charsMax} characters`)
    return this.text(name, { charsMax })
  }

  oneOf<const Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const word = words.find(known => known === this.#fields[name])
    return word ?? this.wrong(name, `must be one of ${words.join(', ')}`)
  }

  /** Texts by name; without those that are empty, which are as good as absent. */
  labels(name: string): Record<string, string> {
    const value = this.#fields[name]
    if (value === undefined || value === null) return {}
    if (typeof value !== 'object' || Array.isArray(value))
      return this.wrong(name, 'must be an object of texts') ?? {}
    const labels = Object.entries(value as Record<string, unknown>).filter(([, text]) => text !== '')
    if (labels.length > LABELS_MAX) return this.wrong(name, `must be at most ${LABELS_MAX}`) ?? {}
    for (const [label, text] of labels) {
      if (label === '' || label.length > LABEL_NAME_CHARS_MAX)
        this.wrong(name, `must have names of 1 to ${LABEL_NAME_CHARS_MAX} characters`)
      else if (typeof text !== 'string' || text.length > LABEL_VALUE_CHARS_MAX || !text.isWellFormed())
        this.wrong(`${name}/${label}`, `must be a text of at most ${LABEL_VALUE_CHARS_MAX} characters`)
    }
    return Object.fromEntries(labels as [string, string][])
  }

  /** Texts by name that are cut rather than refused; what is no text is passed by. */
  texts(name: string): Record<string, string> {
    const value = this.#fields[name]
    if (value === undefined || value === null) return {}
    if (typeof value !== 'object' || Array.isArray(value))
      return this.wrong(name, 'must be an object of texts') ?? {}
    const texts = Object.entries(value).filter(([, text]) => typeof text === 'string')
    return Object.fromEntries(texts as [string, string][])
  }

  /** An RFC 3339 time in ms since 1970 UTC; null where it is absent. */
  time(name: string): number | null {
    const value = this.#fields[name]
    if (value === undefined || value === null || value === '') return null
    const at = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN
    if (Number.isNaN(at)) return this.wrong(name, 'must be an RFC 3339 time') ?? null
    return at
  }

  /** The address of a page for people. */
  url(name: string, charsMax: number): string {
    const url = this.text(name, { charsMax })
    if (url === '' || isWebUrl(url)) return url
    return this.wrong(name, 'must be a URL that begins with https:// or http://') ?? ''
  }

  /** Throws `request-invalid` with all problems, if there are any. */
  check(): void {
    if (this.problems.length > 0) throw invalidBody(this.problems)
  }

  /** Notes a problem of a field. */
  wrong(name: string, message: string): undefined {
    this.problems.push({ path: `${this.#path}/${name}`, message })
    return undefined
  }
}

export function invalidBody(problems: readonly BodyProblem[]): GatewayError {
  const sentence = problems.map(({ path, message }) => `${path} ${message}`).join('; ')
  return new GatewayError('request-invalid', sentence, { extra: { errors: problems } })
}

/** Whether a text can be shown as a link: other schemes could run what they carry. */
export function isWebUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text)
}
