// Reads the rules of the alerting file. Every problem is noted with its line; only rules without one are returned.
import { createHash } from 'node:crypto'
import { severities } from '../../store/notification.ts'
import type { Fields, Place } from '../alerting/yaml-reader.ts'
import { compileTemplate } from './compile-template.ts'
import type { Expression } from './expression.ts'
import type { Language } from './language.ts'
import { ruleLanguages } from './rule-languages.ts'
import type { RuleLanguages } from './rule-languages.ts'
import {
  given,
  readFlapping,
  readGlobs,
  readLabels,
  readRunbook,
  readTemplate,
  readText,
  readTopics,
  whole
} from './rule-reader.ts'
import { readType, typeKeys } from './rule-types.ts'
import type { Template } from './template.ts'
import type { CommonRule, Rule, RuleType } from './rule.ts'

const NAME = /^[a-zA-Z0-9._-]{1,100}$/
const commonKeys = ['name', 'devices', 'key', 'title', 'detail', 'labels', 'runbook', 'flapping']

const knownKeys = [...new Set([...commonKeys, ...Object.values(typeKeys).flat()])]
const markedTypes = (Object.keys(typeKeys) as RuleType[]).filter(type => type !== 'threshold')

/** The rules of a list. */
export function parseRules(list: Place): Rule[] {
  const rules: Rule[] = []
  const names = new Map<string, number>()
  for (const place of list.items() ?? []) {
    const fields = place.fields(knownKeys)
    if (fields === undefined) continue
    const name = parseName(fields, names, place)
    const rule = parseRule(fields, name ?? '', place)
    if (name !== undefined && rule !== undefined) rules.push(rule)
  }
  return rules
}

function parseName(fields: Fields, lines: Map<string, number>, rule: Place): string | undefined {
  const place = fields.need('name')
  const name = place?.text()
  if (place === undefined || name === undefined) return undefined
  if (!NAME.test(name)) return place.problem('must be 1 to 100 letters, digits, ., - and _')
  const line = lines.get(name)
  if (line !== undefined) return place.problem(`"${name}" is the name of the rule at line ${line}, too`)
  lines.set(name, rule.line)
  return name
}

function parseRule(fields: Fields, name: string, place: Place): Rule | undefined {
  const type = typeOf(fields)
  if (type === undefined) return undefined
  const fits = onlyOwnKeys(fields, type)
  const languages = ruleLanguages[type]
  const common = readCommon(fields, { name, place, languages })
  const own = readType(type, fields, languages)
  if (!fits || common === undefined || own === undefined) return undefined
  const rule: Rule = { ...common, ...own }
  return keyFits(rule, fields) ? { ...rule, fingerprint: fingerprintOf(rule) } : undefined
}

/** One word tells the type; without one it is a threshold. */
function typeOf(fields: Fields): RuleType | undefined {
  const [type, other] = markedTypes.filter(marked => fields.has(typeKeys[marked][0]))
  if (type === undefined || other === undefined) return type ?? 'threshold'
  const word = typeKeys[type][0]
  return fields
    .at(typeKeys[other][0])
    ?.problem(`can't be in a rule that has ${word}: they are two types of rule`)
}

function onlyOwnKeys(fields: Fields, type: RuleType): boolean {
  const strange = knownKeys.filter(
    key => fields.has(key) && !commonKeys.includes(key) && !typeKeys[type].includes(key)
  )
  const what =
    type === 'threshold' ? 'without count, rate, absent, offline or severities' : `with ${typeKeys[type][0]}`
  for (const key of strange) fields.at(key)?.problem(`has no meaning in a rule ${what}`)
  return strange.length === 0
}

interface About {
  name: string
  place: Place
  languages: RuleLanguages
}

function readCommon(fields: Fields, { name, place, languages }: About): CommonRule | undefined {
  const { event, text } = languages
  const noText = plainTemplate('', text)
  return whole({
    name,
    topics: given(fields.at('topics'), readTopics, []),
    devices: given(fields.at('devices'), readGlobs, []),
    severity: given(fields.at('severity'), one => one.oneOf(severities), 'warning' as const),
    key: given(fields.at('key'), one => readText(one, event), deviceKey),
    title: given(fields.at('title'), one => readTemplate(one, text), plainTemplate('{rule}: {key}', text)),
    detail: given(fields.at('detail'), one => readTemplate(one, text), noText),
    labels: given(fields.at('labels'), one => readLabels(one, text), {}),
    runbook: given(fields.at('runbook'), readRunbook, ''),
    flapping: given(fields.at('flapping'), readFlapping, null),
    line: place.line,
    fingerprint: ''
  })
}

const deviceKey: Expression<string> = { source: 'device', evaluate: scope => scope.device }

function plainTemplate(source: string, language: Language): Template | undefined {
  const compiled = compileTemplate(source, language)
  return compiled.ok ? compiled.value : undefined
}

// A device that is waited for before it was ever heard has no event that a key could be made of.
function keyFits(rule: Rule, fields: Fields): boolean {
  const named = rule.devices.some(device => !device.includes('*'))
  if (rule.type !== 'absent' || !named || rule.key.source === 'device') return true
  fields.at('key')?.problem('must be device where devices without a * are waited for')
  return false
}

// Not what it is called, says or weighs: with other texts its states mean the same.
function fingerprintOf(rule: Rule): string {
  const meaning: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(rule)) {
    if (insignificant.has(name)) continue
    meaning[name] = isExpression(value) ? value.source : value instanceof Map ? [...value] : value
  }
  return createHash('sha256').update(JSON.stringify(meaning)).digest('base64url').slice(0, 16)
}

const insignificant = new Set([
  'name',
  'severity',
  'title',
  'detail',
  'labels',
  'runbook',
  'flapping',
  'line',
  'fingerprint'
])

function isExpression(value: unknown): value is Expression<unknown> {
  return typeof value === 'object' && value !== null && 'source' in value
}
