// Results as files of the repository: what docs/proof.md is written from, and what later measures are compared with.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Environment } from './environment.ts'
import { writeFormatted } from './formatted.ts'
import type { Result } from './result.ts'

/** What one measure found, when and where. */
export interface Committed {
  environment: Environment
  command: string
  seconds: number
  rounds: number
  results: Result[]
}

/** bench/results/ of the repository that this build belongs to. */
export const resultsFolder = fileURLToPath(new URL('../../bench/results/', import.meta.url))

/** Writes a file for the measure. A figure that is not a number, as of a peer that is missing, becomes null. */
export async function writeResults(folder: string, measure: string, found: Committed): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFormatted(join(folder, `${measure}.json`), JSON.stringify(found))
}

/** What was found for a measure; null when nothing was ever written. */
export async function readResults(folder: string, measure: string): Promise<Committed | null> {
  const file = join(folder, `${measure}.json`)
  if (!existsSync(file)) return null
  const restored = (_key: string, value: unknown) => (value === null ? Number.NaN : value)
  return JSON.parse(await readFile(file, 'utf8'), restored) as Committed
}

/** Names of the measures that have a file. */
export async function measuresWithResults(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return []
  const names = await readdir(folder)
  return names.filter(name => name.endsWith('.json')).map(name => name.slice(0, -'.json'.length))
}
