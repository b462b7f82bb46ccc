// Makes templates of texts such as `{device} is at {payload.celsius} °C`. Pure.
import { compileExpression, type Compiled } from './compile-expression.ts'
import type { Expression } from './expression.ts'
import type { Language } from './language.ts'
import { shortText } from './short-text.ts'
import type { Template } from './template.ts'

const SOURCE_CHARS_MAX = 4000
/** What is longer when it has been filled in is cut. */
const RENDERED_CHARS_MAX = 2000

type Part = string | Expression<unknown>

/** The template, or in a line what is wrong with it. `{{` and `}}` stand for braces. */
export function compileTemplate(source: string, language: Language): Compiled<Template> {
  if (source.length > SOURCE_CHARS_MAX)
    return { ok: false, problem: `must have at most ${SOURCE_CHARS_MAX} characters` }
  const parts: Part[] = []
  let literal = ''
  for (let at = 0; at < source.length; at++) {
    const sign = source.charAt(at)
    if (sign !== '{' && sign !== '}') literal += sign
    else if (source.charAt(at + 1) === sign) {
      literal += sign
      at++
    } else if (sign === '}') return { ok: false, problem: 'has a } without a {; write }} for a brace' }
    else {
      const end = endOfExpression(source, at + 1)
      if (end === null) return { ok: false, problem: 'has a { without a }; write {{ for a brace' }
      const inside = source.slice(at + 1, end).trim()
      if (inside === '') return { ok: false, problem: 'has nothing between { and }; write {{ for a brace' }
      const compiled = compileExpression(inside, 'any', language)
      if (!compiled.ok) return { ok: false, problem: `{${inside}}: ${compiled.problem}` }
      if (literal !== '') parts.push(literal)
      literal = ''
      parts.push(compiled.value)
      at = end
    }
  }
  if (literal !== '') parts.push(literal)
  return { ok: true, value: templateOf(source, parts) }
}

function templateOf(source: string, parts: readonly Part[]): Template {
  return {
    source,
    render(scope) {
      let text = ''
      for (const part of parts) {
        if (typeof part === 'string') text += part
        else {
          try {
            text += shortText(part.evaluate(scope))
          } catch {
            text += '?' // what a device left out of its payload must not keep an alert from being told
          }
        }
      }
      return text.length > RENDERED_CHARS_MAX
        ? `${text.slice(0, RENDERED_CHARS_MAX - 1).toWellFormed()}…`
        : text
    }
  }
}

/** Place of the brace that ends the expression: one that neither a text nor a map inside it owns. */
function endOfExpression(source: string, from: number): number | null {
  let depth = 0
  let quote = ''
  for (let at = from; at < source.length; at++) {
    const sign = source.charAt(at)
    if (quote !== '') {
      if (sign === '\\') at++
      else if (sign === quote) quote = ''
    } else if (sign === '"' || sign === "'") quote = sign
    else if (sign === '{') depth++
    else if (sign === '}' && depth-- === 0) return at
  }
  return null
}
