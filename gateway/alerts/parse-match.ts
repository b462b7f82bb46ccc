// Reads which alerts are meant, from the alerting file and from HTTP bodies. Pure.
import { severities } from '../../store/notification.ts'
import { isTopicFilter } from '../../store/topic-filter.ts'
import { readYaml } from '../alerting/yaml-reader.ts'
import type { Fields, Place } from '../alerting/yaml-reader.ts'
import type { AlertMatch } from './matcher.ts'

const FIELDS = ['severityMin', 'rules', 'devices', 'topics', 'keys', 'labels'] as const
/** Longest match that a request may hold, as JSON. */
const JSON_CHARS_MAX = 65_536

export type ParsedMatch = { ok: true; match: AlertMatch } | { ok: false; message: string }

/** The match at a place of the file; undefined when it is none, which is noted there. No conditions: every alert. */
export function parseMatch(place: Place): AlertMatch | undefined {
  const fields = place.fields(FIELDS)
  if (fields === undefined) return undefined
  const severityMin = fields.at('severityMin')?.oneOf(severities)
  const rules = listOf(fields, 'rules')
  const devices = listOf(fields, 'devices')
  const topics = topicsOf(fields)
  const keys = listOf(fields, 'keys')
  const labels = labelsOf(fields)
  const match: AlertMatch = {
    ...(severityMin && { severityMin }),
    ...(rules && { rules }),
    ...(devices && { devices }),
    ...(topics && { topics }),
    ...(keys && { keys }),
    ...(labels && { labels })
  }
  // Less than was written would match more than was meant.
  return FIELDS.every(name => !fields.has(name) || match[name] !== undefined) ? match : undefined
}

/** The match that a request's JSON says, by the same rules as the file's. The message names the field. */
export function matchOfJson(value: unknown): ParsedMatch {
  const text = JSON.stringify(value) ?? ''
  if (text.length > JSON_CHARS_MAX)
    return { ok: false, message: `must have at most ${JSON_CHARS_MAX} characters` }
  // JSON is YAML: what reads the file reads this too, and judges it alike.
  const { root, problems } = readYaml(text)
  const match = root === null ? undefined : parseMatch(root)
  if (match !== undefined && problems.length === 0) return { ok: true, match }
  return { ok: false, message: problems.map(({ message }) => message).join('; ') || 'must be an object' }
}

function listOf(fields: Fields, name: string): string[] | undefined {
  const place = fields.at(name)
  const texts = place?.texts()
  if (texts?.length === 0) return place?.problem('is empty; leave it out to match all')
  return texts
}

function topicsOf(fields: Fields): string[] | undefined {
  const topics = listOf(fields, 'topics')
  const wrong = topics?.find(topic => !isTopicFilter(topic))
  if (wrong === undefined) return topics
  return fields.at('topics')?.problem(`"${wrong.slice(0, 60)}" is not an MQTT topic filter`)
}

function labelsOf(fields: Fields): Record<string, string> | undefined {
  const entries = fields.at('labels')?.entries()
  if (entries === undefined) return undefined
  const labels: [string, string][] = []
  for (const [name, place] of entries) {
    const glob = place.value === '' ? '' : place.text() // an empty one asks for its absence
    if (glob !== undefined) labels.push([name, glob])
  }
  return labels.length === entries.length ? Object.fromEntries(labels) : undefined
}
