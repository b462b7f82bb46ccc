// Reads the alerting file and the secrets it names. What the text means is not known here.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { reasonOf } from './sources.ts'

/** Largest file that holds a secret; a larger one is some other file. */
const SECRET_BYTES_MAX = 65_536

/** The text of an alerting file, and how what it names is found. */
export interface AlertingSource {
  file: string
  text: string
  /** The secret in a file, by its path from the alerting file's folder. Rejects with a sentence that says nothing of it. */
  secret: (name: string) => Promise<string>
  /** URL of a module, by its path from the alerting file's folder. */
  moduleUrl: (name: string) => string
}

export type ReadAlertingSource = { ok: true; source: AlertingSource } | { ok: false; message: string }

/** Reads the file that the setting `alerting.file` names; an empty name is an empty file, which switches nothing on. */
export function readAlertingSource(file: string): ReadAlertingSource {
  const folder = dirname(resolve(file))
  try {
    const text = file === '' ? '' : readFileSync(file, 'utf8')
    return {
      ok: true,
      source: {
        file,
        text,
        secret: name => readSecret(resolve(folder, name)),
        moduleUrl: name => pathToFileURL(resolve(folder, name)).href
      }
    }
  } catch (error) {
    return { ok: false, message: `can't be read: ${reasonOf(error)}` }
  }
}

/** The secret in a file: its text without the line's end. */
export async function readSecret(file: string): Promise<string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new Error(`the secret in ${file} can't be read: ${reasonOf(error)}`, { cause: error })
  }
  if (Buffer.byteLength(text) > SECRET_BYTES_MAX)
    throw new Error(`${file} holds more than ${SECRET_BYTES_MAX} bytes: it is no secret`)
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '') throw new Error(`${file} is empty: it should hold a secret`)
  return secret
}
