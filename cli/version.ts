// Which Tocsin this is.
import { readFileSync } from 'node:fs'

/** The version in package.json, two folders above the compiled file. */
export function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}
