// What a client asks to see, from its text to a canonical filter. Pure.
import { kinds, severities } from '../../store/notification.ts'
import type { Kind, Severity } from '../../store/notification.ts'
import type { Filter } from '../../store/store.ts'
import { isTopicFilter } from '../../store/topic-filter.ts'
import { GatewayError } from '../errors.ts'

const fields = new Set(['topics', 'kinds', 'devices', 'severityMin'])

/** Reads a filter; throws `filter-invalid`, naming the field. Conditions that exclude nothing are left out. */
export function parseFilter(value: unknown, termsMax: number): Filter {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('filter must be an object')
  const given = value as Record<string, unknown>
  for (const field of Object.keys(given)) {
    if (!fields.has(field))
      throw invalid(`filter has no field "${field.slice(0, 40)}"; it has ${[...fields].join(', ')}`)
  }
  const topics = texts(given, 'topics')
  const devices = texts(given, 'devices')
  const kindNames = texts(given, 'kinds')
  const terms = (topics?.length ?? 0) + (devices?.length ?? 0) + (kindNames?.length ?? 0)
  if (terms > termsMax) throw invalid(`filter has ${terms} terms; ${termsMax} are allowed`)
  const wrongTopic = topics?.find(topic => !isTopicFilter(topic))
  if (wrongTopic !== undefined)
    throw invalid(`topics: "${wrongTopic.slice(0, 60)}" is not an MQTT topic filter`)
  const wantedKinds = kindNames?.map(kindOf)
  const severityMin = given['severityMin'] === undefined ? undefined : severityOf(given['severityMin'])
  return {
    ...(topics && { topics }),
    ...(wantedKinds && wantedKinds.length < kinds.length && { kinds: wantedKinds }),
    ...(devices && { devices }),
    ...(severityMin && severityMin !== 'info' && { severityMin })
  }
}

/** The filter of a URL's query. Each of `topics`, `kinds` and `devices` may be repeated. */
export function filterOfQuery(query: Record<string, unknown>, termsMax: number): Filter {
  const given = [...fields].flatMap(field => (query[field] === undefined ? [] : [[field, query[field]]]))
  return parseFilter(Object.fromEntries(given), termsMax)
}

/** Equal for filters that `parseFilter` made of equal conditions. */
export function filterKey({ topics, kinds: wanted, devices, severityMin }: Filter): string {
  return JSON.stringify([topics, wanted, devices, severityMin])
}

/** Distinct texts in order, so that equal sets become equal lists. */
function texts(given: Record<string, unknown>, field: string): string[] | undefined {
  const value = given[field]
  if (value === undefined) return undefined
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    !value.every(term => typeof term === 'string' && term !== '')
  )
    throw invalid(`${field} must be a list of one or more texts; leave it out to see all`)
  return [...new Set(value as string[])].toSorted()
}

function kindOf(name: string): Kind {
  const kind = kinds.find(known => known === name)
  if (kind === undefined) throw invalid(`kinds: "${name.slice(0, 40)}" is none of ${kinds.join(', ')}`)
  return kind
}

function severityOf(name: unknown): Severity {
  const severity = severities.find(known => known === name)
  if (severity === undefined) throw invalid(`severityMin must be one of ${severities.join(', ')}`)
  return severity
}

function invalid(message: string): GatewayError {
  return new GatewayError('filter-invalid', message)
}
