// The three places settings come from, each as values by path with a note of where each was found.
import { readFileSync } from 'node:fs'
import { LineCounter, isMap, parse, parseDocument } from 'yaml'
import type { Setting } from './settings.ts'
import { suggest } from '../store/suggestion.ts'

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** The setting, as in a flag: `mqtt.port`; empty when it is the file as a whole. */
  path: string
  message: string
  /** Where it was written: `tocsin.yaml, line 3`, the name of a variable, or a flag. */
  where: string
}

/** Values of settings as they were written in one place. */
export interface Source {
  /** Sections with their keys, as far as they were given. */
  values: Record<string, unknown>
  problems: Problem[]
  /** Where the value at the path was written. */
  where: (path: readonly PropertyKey[]) => string
}

/** Reads a YAML file. One that can't be read or parsed gives no values, and problems. */
export function readFile(file: string): Source {
  const failed = (problems: Problem[]): Source => ({ values: {}, problems, where: () => file })
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return failed([{ path: '', message: `can't be read: ${reasonOf(error)}`, where: file }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAt = (offset: number) => `${file}, line ${lines.linePos(offset).line}`
  if (document.errors.length > 0)
    return failed(document.errors.map(({ message, pos }) => ({ path: '', message, where: lineAt(pos[0]) })))
  if (document.contents === null) return { ...failed([]) }
  if (!isMap(document.contents))
    return failed([{ path: '', message: 'must hold sections, like "mqtt:", with settings', where: file }])
  const where = (path: readonly PropertyKey[]): string => {
    // The key is where people look; entries of lists have none.
    for (let depth = path.length; depth > 0; depth--) {
      const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true)
      const key = path[depth - 1]
      const range = isMap(parent)
        ? (parent.items.find(pair => String(pair.key) === String(key))?.key as Ranged | undefined)?.range
        : (document.getIn(path.slice(0, depth), true) as Ranged | undefined)?.range
      if (range) return lineAt(range[0])
    }
    return file
  }
  try {
    return { values: document.toJS() as Record<string, unknown>, problems: [], where }
  } catch (error) {
    return failed([{ path: '', message: reasonOf(error), where: file }]) // too many aliases
  }
}

interface Ranged {
  range?: readonly [number, number, number] | null
}

/**
 * Takes the settings from environment variables. Only names with two underscores after a section are looked at:
 * `TOCSIN_PORT` and the like are set by Kubernetes for a service of that name.
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[]
) {
  const byVariable = new Map(settings.map(setting => [setting.variable, setting]))
  const written = Object.entries(env).filter(
    ([name, value]) => name.startsWith('TOCSIN_') && name.includes('__') && value !== undefined
  )
  return readTexts(written as [string, string][], byVariable, name => name)
}

/** Takes the settings from flags, given by path without the dashes. */
export function readFlags(flags: Readonly<Record<string, string>>, settings: readonly Setting[]): Source {
  const byPath = new Map(settings.map(setting => [setting.path, setting]))
  return readTexts(Object.entries(flags), byPath, path => `--${path}`)
}

function readTexts(
  written: readonly [name: string, text: string][],
  known: ReadonlyMap<string, Setting>,
  nameAsGiven: (name: string) => string
): Source {
  const values: Record<string, Record<string, unknown>> = {}
  const problems: Problem[] = []
  const names = new Map<string, string>()
  for (const [name, text] of written) {
    const setting = known.get(name)
    if (setting === undefined) {
      const path = name
      problems.push({
        path,
        message: unknownName(name, [...known.keys()], nameAsGiven),
        where: nameAsGiven(name)
      })
      continue
    }
    names.set(setting.path, nameAsGiven(name))
    const section = (values[setting.section] ??= {})
    section[setting.key] = setting.type.kind === 'rules' ? parseRules(text) : text
  }
  const where = (path: readonly PropertyKey[]) => names.get(path.slice(0, 2).join('.')) ?? ''
  return { values, problems, where }
}

/** A value with structure is written as YAML (or JSON) where there is only text. What is no YAML stays text, and is refused as such. */
function parseRules(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return text
  }
}

/** The sentence on a name that is no setting's. */
export function unknownName(
  name: string,
  candidates: readonly string[],
  asGiven: (name: string) => string = same => same
): string {
  const meant = suggest(name, candidates)
  return `is no setting${meant === null ? '' : `; did you mean ${asGiven(meant)}?`}`
}

/** Why a file could not be read, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'this user may not read it'
  if (code === 'EISDIR') return 'it is a folder'
  return message
}
