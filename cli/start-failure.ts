// Why a server could not start, as a sentence that says what to do.
import type { Config } from '../config/schema.ts'
import { AlertingFileError } from '../gateway/alerting/alerting.ts'
import { StoreError } from '../store/errors.ts'
import { CliError } from './errors.ts'

interface SystemError extends Error {
  code?: string
  syscall?: string
  port?: number
  address?: string
}

/** A `CliError` where the reason is one that a person can mend; else the error as it is. */
export function explainStartFailure(error: unknown, config: Config): unknown {
  if (error instanceof CliError) return error
  if (error instanceof AlertingFileError)
    return new CliError(describeAlertingFile(error), 2, { cause: error })
  const sentence = error instanceof StoreError ? error.message : systemSentence(error as SystemError, config)
  return sentence === null ? error : new CliError(sentence, 1, { cause: error })
}

/** All problems of an alerting file, a line for each. */
export function describeAlertingFile({ message, file, problems }: AlertingFileError): string {
  return [
    `${message}:`,
    ...problems.map(({ line, message: what }) => `  ${file}, line ${line}: ${what}`)
  ].join('\n')
}

function systemSentence(error: SystemError, config: Config): string | null {
  if (error.syscall === 'listen' || error.syscall === 'getaddrinfo') return listenSentence(error, config)
  // What comes from the store's thread has its message only.
  const code = error.code ?? /^(E[A-Z]+): /.exec(error.message)?.[1] ?? ''
  const reason = folderReasons[code]
  return reason === undefined
    ? null
    : `the data folder ${config.store.dir} can't be used: ${reason}; set store.dir`
}

const folderReasons: Record<string, string> = {
  EACCES: 'this user may not write there',
  EROFS: 'it can only be read',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'it is no folder'
}

function listenSentence({ code, port, address }: SystemError, config: Config): string {
  const sections = ['mqtt', 'tcp', 'http'] as const
  const byPort = sections.find(section => port !== undefined && port !== 0 && config[section].port === port)
  const section = byPort ?? sections.find(name => config[name].host === address) ?? 'http'
  const where = port === undefined ? address : `${address}:${port}`
  if (code === 'EADDRINUSE') return `${where} is in use already; set ${section}.port to a free port`
  if (code === 'EACCES') return `this user may not listen on ${where}; set ${section}.port to one above 1023`
  return `it can't listen on ${where} (${code}); set ${section}.host to an address of this machine`
}
