// What rules, alerts and deliveries are told of the configuration, with the secrets that it names.
import { readFile } from 'node:fs/promises'
import { readAlertingSource, readSecret } from '../config/alerting-source.ts'
import type { Config } from '../config/schema.ts'
import type { AlertingOptions } from '../gateway/alerting/alerting.ts'
import { CliError } from './errors.ts'

/** Settings, and how the alerting file is read. Rejects with a `CliError` where a file of the mail settings can't be read. */
export async function alertingOptions({
  alerting,
  delivery,
  mail,
  http
}: Config): Promise<Pick<AlertingOptions, 'settings' | 'readSource'>> {
  const { file, ...rules } = alerting
  const { passwordFile, caFile, ...server } = mail
  return {
    settings: {
      ...rules,
      delivery,
      mail: {
        ...server,
        password: await named('mail.passwordFile', passwordFile, readSecret),
        ca: await named('mail.caFile', caFile, name => readFile(name, 'utf8'))
      },
      publicUrl: http.publicUrl.replace(/\/+$/, '')
    },
    readSource() {
      const read = readAlertingSource(file)
      return read.ok ? read : { ...read, file }
    }
  }
}

async function named(
  setting: string,
  file: string,
  read: (file: string) => Promise<string>
): Promise<string | null> {
  if (file === '') return null
  try {
    return await read(file)
  } catch (error) {
    throw new CliError(`${setting}: ${(error as Error).message}`, 2, { cause: error })
  }
}
