// The alerting file as a whole: rules, handlers, channels, routes and inhibitions, checked before anything of it is used.
import { parseInhibitions } from '../alerts/inhibitions.ts'
import type { Inhibition } from '../alerts/inhibitions.ts'
import { parseChannels } from '../delivery/parse-channels.ts'
import type { ChannelPlan } from '../delivery/parse-channels.ts'
import { parseRoutes } from '../delivery/parse-routes.ts'
import type { Route } from '../delivery/route.ts'
import { parseHandlers } from '../handlers/load-handlers.ts'
import type { HandlerPlan } from '../handlers/load-handlers.ts'
import { parseRules } from '../rules/parse-rules.ts'
import type { Rule } from '../rules/rule.ts'
import { readYaml } from './yaml-reader.ts'
import type { Place, Problem } from './yaml-reader.ts'

/** What a file says. */
export interface AlertingPlan {
  rules: Rule[]
  handlers: HandlerPlan[]
  channels: ChannelPlan[]
  routes: Route[]
  inhibitions: Inhibition[]
}

/** Reads a file's text. `problems` goes on to be filled by whoever opens what the plan names. An empty text is an empty plan. */
export function parseAlertingFile(text: string): { plan: AlertingPlan; problems: Problem[] } {
  const { root, problems } = readYaml(text)
  const fields = root?.fields(['rules', 'handlers', 'channels', 'routes', 'inhibit'])
  const list = <Item>(name: string, parse: (place: Place) => Item[]): Item[] => {
    const place = fields?.at(name) ?? null
    return place === null || place.value === null ? [] : parse(place)
  }
  const rules = list('rules', parseRules)
  const handlers = list('handlers', parseHandlers)
  for (const { name, place } of handlers)
    if (rules.some(rule => rule.name === name)) place.problem(`"${name}" is the name of a rule`)
  const channels = list('channels', parseChannels)
  const names = new Set(channels.map(({ name }) => name))
  const routes = list('routes', place => parseRoutes(place, names))
  const inhibitions = list('inhibit', parseInhibitions)
  return { plan: { rules, handlers, channels, routes, inhibitions }, problems }
}

/**
 * Reads one rule from its own text: a rule, a list with one, or a file with `rules`; `name` says which where there are
 * several.
 */
export function parseRuleText(text: string, name?: string): { rule: Rule | null; problems: Problem[] } {
  const { root, problems } = readYaml(text)
  if (root === null)
    return {
      rule: null,
      problems: problems.length > 0 ? problems : [{ line: 1, message: 'there is no rule' }]
    }
  if (!Array.isArray(root.value)) {
    const { value } = root
    const whole = typeof value === 'object' && value !== null && 'rules' in value
    if (!whole) return parseRuleText(`- ${text.split('\n').join('\n  ')}`, name)
  }
  const place = Array.isArray(root.value) ? root : root.entries()?.find(([key]) => key === 'rules')?.[1]
  const rules = place === undefined ? [] : parseRules(place)
  const chosen = name === undefined ? rules : rules.filter(rule => rule.name === name)
  const [rule] = chosen
  if (problems.length > 0) return { rule: null, problems }
  if (rule !== undefined && chosen.length === 1) return { rule, problems }
  const names = rules.map(one => one.name).join(', ')
  const message =
    name === undefined ? `one rule is wanted, not ${rules.length}` : `there is no rule "${name}"`
  return {
    rule: null,
    problems: [{ line: 1, message: `${message}${names === '' ? '' : `; there are ${names}`}` }]
  }
}
