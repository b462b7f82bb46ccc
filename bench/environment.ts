// Where something was measured: the machine, and the versions of what took part.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'
import { mosquittoVersion } from './peers/mosquitto.ts'
import { versions } from './peers/packaged.ts'
import { isPinned } from './pinning.ts'

export interface Environment {
  /** When, ISO 8601. */
  date: string
  machine: string
  /** By name, Tocsin's own with the commit. */
  versions: Record<string, string>
  pinned: boolean
}

const root = fileURLToPath(new URL('../../', import.meta.url))

export function environment(now: Date): Environment {
  const cpu = cpus()
  const gigabytes = Math.round(totalmem() / 1024 ** 3)
  const machine = `${cpu[0]?.model.trim() ?? 'unknown CPU'}, ${cpu.length} cores, ${gigabytes} GiB, ${type()} ${release()}`
  return {
    date: now.toISOString(),
    machine,
    versions: {
      Tocsin: tocsinVersion(),
      'Node.js': process.versions.node,
      Mosquitto: mosquittoVersion() ?? 'not installed',
      ...versions
    },
    pinned: isPinned()
  }
}

function tocsinVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty'], {
    cwd: root,
    encoding: 'utf8'
  })
  return status === 0 ? `${version} (${stdout.trim()})` : version
}
