// Bodies after a template of the user’s own: texts with names in braces, at any place of a structure. What is filled in
// is filled into texts of that structure, before it becomes JSON: no device can break out of the text it is named in.
import type { Fields, Place } from '../../alerting/yaml-reader.ts'
import type { Notice } from '../notice.ts'
import { JSON_TYPE } from './format.ts'
import type { Format } from './format.ts'
import { labelValue, templateNames, templateValues } from './template-values.ts'
import type { TemplateName } from './template-values.ts'

const LABELS = 'labels.'
const JSON_TYPES = /^application\/(?:[\w.+-]+\+)?json$/i
const TEXT_TYPES = /^text\/(?:plain|markdown)$/i
const DEFAULT_TEXT_TYPE = 'text/plain; charset=utf-8'
/** Deeper ones are some mistake. */
const DEPTH_MAX = 32

type Slot = { name: TemplateName } | { label: string }
type Part = string | Slot

type Node =
  | { is: 'text'; parts: Part[] }
  | { is: 'list'; items: Node[] }
  | { is: 'mapping'; entries: [string, Node][] }
  | { is: 'literal'; value: unknown }

export interface TemplatePlan {
  contentType: string
  body: Node
}

/** Reads `contentType` and `body`; undefined where something is wrong, which is noted. */
export function parseTemplate(fields: Fields): TemplatePlan | undefined {
  const place = fields.need('body')
  const body = place === undefined ? undefined : parseNode(place, 0)
  const structured = body !== undefined && body.is !== 'text'
  const contentType = fields.has('contentType')
    ? fields.at('contentType')?.text()
    : structured
      ? JSON_TYPE
      : DEFAULT_TEXT_TYPE
  if (body === undefined || contentType === undefined) return undefined
  if (!/^[\x20-\x7e]{1,100}$/.test(contentType))
    return fields.at('contentType')?.problem('must be a media type such as application/json')
  const essence = contentType.replace(/;.*$/s, '').trim()
  if (structured && !JSON_TYPES.test(essence))
    return fields.at('contentType')?.problem('must be of JSON, as body is a structure')
  if (!structured && !TEXT_TYPES.test(essence))
    return fields
      .at('contentType')
      ?.problem(
        'must be text/plain or text/markdown, as body is a text; for JSON, write body as a mapping, so that nothing that is filled in can break out of it'
      )
  return { contentType, body }
}

function parseNode(place: Place, depth: number): Node | undefined {
  if (depth > DEPTH_MAX) return place.problem('is nested too deeply')
  const { value } = place
  if (typeof value === 'string') {
    const parts = parseText(value, place)
    return parts && { is: 'text', parts }
  }
  if (Array.isArray(value)) {
    const items = place.items()?.map(item => parseNode(item, depth + 1))
    return items?.every(item => item !== undefined) ? { is: 'list', items } : undefined
  }
  if (typeof value === 'object' && value !== null) {
    const entries: [string, Node][] = []
    const places = place.entries() ?? []
    for (const [name, child] of places) {
      const node = parseNode(child, depth + 1)
      if (node !== undefined) entries.push([name, node])
    }
    return entries.length === places.length ? { is: 'mapping', entries } : undefined
  }
  return { is: 'literal', value }
}

/** The parts of a text, `{{` and `}}` being braces. */
function parseText(text: string, place: Place): Part[] | undefined {
  const parts: Part[] = []
  let wrong = false
  for (const [, doubled, name, literal] of text.matchAll(/(\{\{|\}\})|\{([^{}]*)\}|([^{}]+|[{}])/g)) {
    if (doubled !== undefined) parts.push(doubled.charAt(0))
    else if (name === undefined) {
      parts.push(literal ?? '')
      if (literal === '{' || literal === '}') wrong = true
    } else {
      const slot = slotOf(name.trim())
      if (slot === null) {
        place.problem(`{${name}} is unknown; known are ${templateNames.join(', ')} and ${LABELS}NAME`)
        return undefined
      }
      parts.push(slot)
    }
  }
  return wrong ? place.problem('has a brace without its other; write {{ or }} for a brace') : parts
}

function slotOf(name: string): Slot | null {
  if (name.startsWith(LABELS) && name.length > LABELS.length) return { label: name.slice(LABELS.length) }
  const known = templateNames.find(one => one === name)
  return known === undefined ? null : { name: known }
}

/** The format that a template describes. A text that is a name alone, of something that is a number, becomes that number. */
export function templateFormat({ contentType, body }: TemplatePlan): Format {
  return (notice, context) => {
    const values = templateValues(notice, context)
    const filled = fill(body, part => valueOf(part, notice, values))
    return { contentType, body: body.is === 'text' ? String(filled) : JSON.stringify(filled) }
  }
}

function valueOf(slot: Slot, notice: Notice, values: Record<TemplateName, string | number>): string | number {
  return 'name' in slot ? values[slot.name] : labelValue(notice, slot.label)
}

function fill(node: Node, value: (slot: Slot) => string | number): unknown {
  switch (node.is) {
    case 'text':
      return fillText(node.parts, value)
    case 'list':
      return node.items.map(item => fill(item, value))
    case 'mapping':
      return Object.fromEntries(node.entries.map(([name, child]) => [name, fill(child, value)]))
    case 'literal':
      return node.value
  }
}

function fillText(parts: readonly Part[], value: (slot: Slot) => string | number): string | number {
  const [only] = parts
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return value(only)
  return parts.map(part => (typeof part === 'string' ? part : String(value(part)))).join('')
}
