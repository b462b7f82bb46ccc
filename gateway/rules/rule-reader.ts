// Reads the parts of rules from places of the file. What is wrong is noted as a problem there, and read as undefined.
import { isTopicFilter } from '../../store/topic-filter.ts'
import type { Place } from '../alerting/yaml-reader.ts'
import { compileExpression } from './compile-expression.ts'
import { compileTemplate } from './compile-template.ts'
import type { Expression } from './expression.ts'
import type { Language } from './language.ts'
import type { Template } from './template.ts'

const TEXTS_MAX = 1000
const TEXT_CHARS_MAX = 1024
const LABELS_MAX = 50
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_.-]{0,99}$/
const COUNT_MAX = 1000

/** What is read of a place; the default where there is none. */
export function given<Value, Default>(
  place: Place | null,
  read: (place: Place) => Value | undefined,
  otherwise: Default
): Value | Default | undefined {
  return place === null ? otherwise : read(place)
}

/** What is read of a place that must be there; its absence has been noted. */
export function needed<Value>(
  place: Place | undefined,
  read: (place: Place) => Value | undefined
): Value | undefined {
  return place === undefined ? undefined : read(place)
}

/** The values, if none of them is undefined. */
export function whole<Values extends object>(
  values: Values
): { [Name in keyof Values]: Exclude<Values[Name], undefined> } | undefined {
  if (Object.values(values).includes(undefined)) return undefined
  return values as { [Name in keyof Values]: Exclude<Values[Name], undefined> }
}

export function readCondition(place: Place, language: Language): Expression<boolean> | undefined {
  return compiled(place, text => compileExpression(text, 'condition', language))
}

export function readNumber(place: Place, language: Language): Expression<number> | undefined {
  return compiled(place, text => compileExpression(text, 'number', language))
}

export function readText(place: Place, language: Language): Expression<string> | undefined {
  return compiled(place, text => compileExpression(text, 'text', language))
}

export function readTemplate(place: Place, language: Language): Template | undefined {
  return compiled(place, text => compileTemplate(text, language))
}

export function readLabels(place: Place, language: Language): Record<string, Template> | undefined {
  const entries = place.entries()
  if (entries === undefined) return undefined
  if (entries.length > LABELS_MAX) return place.problem(`must be at most ${LABELS_MAX} labels`)
  const labels: Record<string, Template> = {}
  for (const [name, value] of entries) {
    const template = readTemplate(value, language)
    if (!LABEL.test(name)) value.problem('must be named by letters, digits, ., - and _, a letter first')
    else if (template !== undefined) labels[name] = template
  }
  return labels
}

export function readTopics(place: Place): string[] | undefined {
  const topics = place.texts()
  const wrong = topics?.find(topic => !isTopicFilter(topic))
  if (wrong !== undefined) return place.problem(`"${wrong}" is no topic filter`)
  return topics && fewTexts(place, topics)
}

export function readGlobs(place: Place): string[] | undefined {
  const globs = place.texts()
  return globs && fewTexts(place, globs)
}

/** A duration that is longer than none. */
export function readSpanMs(place: Place): number | undefined {
  const ms = place.durationMs()
  return ms === 0 ? place.problem('must be longer than 0') : ms
}

export function readFlapping(place: Place): { count: number; withinMs: number } | undefined {
  const fields = place.fields(['count', 'within'])
  const count = fields?.need('count')?.whole(2, COUNT_MAX)
  const within = fields?.need('within')
  const withinMs = within && readSpanMs(within)
  return count === undefined || withinMs === undefined ? undefined : { count, withinMs }
}

export function readCount(place: Place): number | undefined {
  return place.whole(1, COUNT_MAX)
}

/** It becomes a link that people follow. */
export function readRunbook(place: Place): string | undefined {
  const text = place.text()
  if (text === undefined) return undefined
  const isLink = /^https?:\/\//i.test(text) && URL.canParse(text) && text.length <= TEXT_CHARS_MAX
  return isLink ? text : place.problem('must be a URL that begins with https:// or http://')
}

function fewTexts(place: Place, texts: string[]): string[] | undefined {
  if (texts.length === 0) return place.problem('must name one at least; leave it out for any')
  if (texts.length > TEXTS_MAX) return place.problem(`must be at most ${TEXTS_MAX} texts`)
  const long = texts.some(text => text.length > TEXT_CHARS_MAX)
  return long ? place.problem(`must be texts of at most ${TEXT_CHARS_MAX} characters`) : texts
}

function compiled<Value>(
  place: Place,
  compile: (text: string) => { ok: true; value: Value } | { ok: false; problem: string }
): Value | undefined {
  const text = place.text()
  if (text === undefined) return undefined
  const result = compile(text)
  return result.ok ? result.value : place.problem(result.problem)
}
