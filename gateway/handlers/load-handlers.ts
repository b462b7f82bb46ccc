// Reads what the alerting file says of handlers, and loads their modules.
import type { Place } from '../alerting/yaml-reader.ts'
import type { Handle, HandlerModule } from './handler.ts'
import { parseTopicPattern } from './topic-pattern.ts'
import type { TopicPattern } from './topic-pattern.ts'

const NAME = /^[A-Za-z0-9._-]{1,100}$/

/** A module that the file names. */
export interface HandlerPlan {
  name: string
  module: string
  place: Place
}

export interface LoadedHandler {
  /** The module's name in the file. */
  module: string
  pattern: string
  topic: TopicPattern
  handle: Handle
}

/** Reads the list `handlers`: `{name, module}`. */
export function parseHandlers(list: Place): HandlerPlan[] {
  const plans: HandlerPlan[] = []
  for (const place of list.items() ?? []) {
    const fields = place.fields(['name', 'module'])
    const name = fields?.need('name')?.text()
    const module = fields?.need('module')?.text()
    if (name === undefined || module === undefined) continue
    if (!NAME.test(name)) fields?.at('name')?.problem('must be 1 to 100 letters, digits, dots, _ or -')
    else if (plans.some(plan => plan.name === name)) fields?.at('name')?.problem(`"${name}" is there twice`)
    else plans.push({ name, module, place })
  }
  return plans
}

/** Loads a module; what is wrong with it is noted as a problem at its place. */
export async function loadHandlers(plan: HandlerPlan, url: string): Promise<LoadedHandler[]> {
  let exported: unknown
  try {
    exported = ((await import(url)) as { handlers?: unknown }).handlers
  } catch (error) {
    plan.place.problem(
      `${plan.module} can't be loaded: ${error instanceof Error ? error.message : String(error)}`
    )
    return []
  }
  if (typeof exported !== 'object' || exported === null) {
    plan.place.problem(`${plan.module} must export "handlers", an object of functions by topic pattern`)
    return []
  }
  const loaded: LoadedHandler[] = []
  for (const [pattern, handle] of Object.entries(exported as HandlerModule)) {
    try {
      if (typeof handle !== 'function') throw new Error('is no function')
      loaded.push({ module: plan.name, pattern, topic: parseTopicPattern(pattern), handle })
    } catch (error) {
      plan.place.problem(`${plan.module}, handler "${pattern}": ${(error as Error).message}`)
    }
  }
  if (Object.keys(exported).length === 0) plan.place.problem(`${plan.module} has no handlers`)
  return loaded
}
