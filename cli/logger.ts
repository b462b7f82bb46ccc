// The process's logger: JSON lines, or readable lines where a person looks at a terminal.
import { writeSync } from 'node:fs'
import { pino, type Level, type Logger } from 'pino'

export interface LoggerOptions {
  level: Level | 'silent'
  /** Where lines go: 1 for standard output, 2 for standard error. Readable lines if it is a terminal. */
  fd: 1 | 2
}

/** Makes the logger. Lines are written at once, so that none is lost when the process ends. */
export function createLogger({ level, fd }: LoggerOptions): Logger {
  const stream = fd === 1 ? process.stdout : process.stderr
  const options = { level, base: null }
  if (!stream.isTTY) return pino(options, pino.destination({ fd, sync: true }))
  return pino(options, { write: line => void writeSync(fd, readableLine(line)) })
}

const levelNames: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'FATAL' }

/** One line of JSON, as pino writes it, made readable: time, level, message, then fields as `name=value`. */
export function readableLine(json: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`)
  const error = err as { message?: string; stack?: string } | undefined
  const trace = error === undefined ? '' : `\n${error.stack ?? error.message ?? ''}`
  const name = (levelNames[Number(level)] ?? '').padEnd(5)
  return `${[clock, name, String(msg ?? ''), ...shown].join(' ').trimEnd()}${trace}\n`
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
