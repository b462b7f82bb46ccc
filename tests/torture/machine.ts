// Where and with what a torture ran.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'

const GIB = 1024 ** 3

export interface Circumstances {
  machine: string
  versions: string
  /** ISO date */
  date: string
  /** Load average of the minute before; what else the machine did makes times longer. */
  loadBefore: number
  command: string
}

/** `command`: as it was typed. */
export function circumstances(command: string): Circumstances {
  const [cpu] = cpus()
  const memory = `${Math.round(totalmem() / GIB)} GiB`
  return {
    machine: `${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${memory}, ${type()} ${release()}`,
    versions: `Node.js ${process.versions.node}, Tocsin ${tocsinVersion()}, Mosquitto ${mosquittoVersion() ?? 'not installed'}`,
    date: new Date().toISOString().slice(0, 10),
    loadBefore: loadavg()[0] ?? 0,
    command
  }
}

function tocsinVersion(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  return version
}

/** Null where it is not installed. */
export function mosquittoVersion(): string | null {
  try {
    return /version (\S+)/.exec(execFileSync('mosquitto', ['-h'], { encoding: 'utf8' }))?.[1] ?? null
  } catch (error) {
    // It ends with another code than 0 after it has shown its help.
    const { stdout } = error as { stdout?: string }
    return /version (\S+)/.exec(stdout ?? '')?.[1] ?? null
  }
}
