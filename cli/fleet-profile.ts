// Finds and reads fleet profiles for the commands that play them.
import { existsSync, readFileSync } from 'node:fs'
import { parseProfile, type Profile } from '../devices-sim/profile.ts'
import { CliError } from './errors.ts'

/** A profile by its file, or by the name of one in config/fleets/. Throws a `CliError` that lists every problem. */
export function loadProfile(name: string): Profile {
  const bundled = new URL(`../../config/fleets/${encodeURIComponent(name)}.yaml`, import.meta.url)
  const file = existsSync(name) || !existsSync(bundled) ? name : bundled
  const result = parseProfile(readText(file, `the profile ${name}`))
  if (result.ok) return result.profile
  const problems = result.problems.map(({ path, line, message }) => {
    const where = [path, line === undefined ? '' : `line ${line}`].filter(Boolean).join(', ')
    return `  ${where === '' ? '' : `${where}: `}${message}`
  })
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  throw new CliError(`The profile ${name} has ${count}:\n${problems.join('\n')}`, 2)
}

/** A file's text; a `CliError` with the system's reason when it can't be read. */
export function readText(file: string | URL, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError(`Can't read ${what}: ${systemReason(error)}.`, 2, { cause: error })
  }
}

/** What the system says of a failed call, for people. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') return 'it does not exist'
  return error.message
}
