// Builds the configuration: file < environment < flags, each value checked, all problems reported at once.
// Nothing else of Tocsin reads configuration files or the environment.
import type { z } from 'zod'
import { checkTogether } from './checks.ts'
import { schema, type Config } from './schema.ts'
import { listSettings, type Setting } from './settings.ts'
import { readEnvironment, readFile, readFlags, unknownName, type Problem, type Source } from './sources.ts'

export type { Problem } from './sources.ts'

export interface ConfigSources {
  /** Path of a YAML file. */
  file?: string
  env: Readonly<Record<string, string | undefined>>
  /** Flags by the path of their setting, without dashes: `{'mqtt.port': '1884'}`. */
  flags: Readonly<Record<string, string>>
}

export type LoadedConfig = { ok: true; config: Config } | { ok: false; problems: Problem[] }

/** Reads, merges and checks the sources. */
export function loadConfig({ file, env, flags }: ConfigSources): LoadedConfig {
  const settings = listSettings()
  const sources = [readFlags(flags, settings), readEnvironment(env, settings)]
  if (file !== undefined) sources.push(readFile(file))
  const problems = sources.flatMap(source => source.problems)
  const parsed = schema.safeParse(merge(sources))
  if (!parsed.success)
    problems.push(...parsed.error.issues.flatMap(issue => explain(issue, sources, settings)))
  else
    for (const { path, message } of checkTogether(parsed.data))
      problems.push({ path, message, where: whereOf(path.split('.').map(toKey), sources) })
  if (problems.length > 0 || !parsed.success) return { ok: false, problems }
  return { ok: true, config: parsed.data }
}

/** Earlier sources win, setting by setting. A section that is no map is kept, to be refused. */
function merge(sources: readonly Source[]): Record<string, unknown> {
  const merged: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const { values } of [...sources].reverse())
    for (const [section, value] of Object.entries(values)) {
      const below = merged[section]
      if (value === null && below === undefined)
        merged[section] = {} // "mqtt:" with nothing below
      else merged[section] = isSection(below) && isSection(value) ? { ...below, ...value } : value
    }
  return merged
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function explain(
  issue: z.core.$ZodIssue,
  sources: readonly Source[],
  settings: readonly Setting[]
): Problem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => {
      const full = [...issue.path, key]
      const path = full.join('.')
      return {
        path,
        message: unknownName(path, candidates(issue.path, settings)),
        where: whereOf(full, sources)
      }
    })
  return [{ path: issue.path.join('.'), message: sentence(issue), where: whereOf(issue.path, sources) }]
}

function candidates(parent: readonly PropertyKey[], settings: readonly Setting[]): string[] {
  const prefix = parent.join('.')
  if (parent.length > 1) return ['devices', 'publish', 'subscribe'].map(key => `${prefix}.${key}`)
  const sections = [...new Set(settings.map(({ section }) => section))]
  return [...sections, ...settings.map(({ path }) => path)]
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message
  if (issue.path.length === 1) return 'is a section: settings belong below it'
  return issue.expected === 'array' ? 'must be a list' : 'must hold devices, publish and subscribe'
}

/** Where a value was written: the first source that has it, since earlier ones win. */
function whereOf(path: readonly PropertyKey[], sources: readonly Source[]): string {
  const [section, key] = path
  for (const { values, where } of sources) {
    const held = values[String(section)]
    const has = key === undefined || !isSection(held) ? held !== undefined : Object.hasOwn(held, key)
    if (has) return where(path)
  }
  return 'default'
}

function toKey(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part
}
