// Peers that are npm packages. They are no dependencies of ours: the bench installs them in a folder for caches, which
// later runs find again, and runs a small program of each, made as its documentation shows it.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lineOf, startServer, type ServerProcess } from '../servers/server.ts'
import { PeerMissing, peerFile } from './peer.ts'

export const versions = {
  aedes: '1.2.0',
  'node-red': '5.0.7',
  'socket.io': '4.8.4',
  ws: '8.23.0'
} as const

export type Packaged = keyof typeof versions

const INSTALL_MS = 180_000

export interface PeerProcess extends ServerProcess {
  port: number
}

/** Starts a program of bench/peers/ where the package is installed; it prints `port NUMBER` when it listens. */
export async function startPackaged(
  name: Packaged,
  program: string,
  args: readonly (string | number)[] = []
): Promise<PeerProcess> {
  const folder = await installed(name)
  // There their imports find the package.
  for (const file of [program, 'notifications.mjs']) await copyFile(peerFile(file), join(folder, file))
  const server = await startServer([process.execPath, join(folder, program), ...args.map(String)])
  const line = await lineOf(server.child, text => text.startsWith('port '))
  return { ...server, port: Number(line.slice('port '.length)) }
}

/**
 * The folder with the package in it, under $BENCH_CACHE or the user's folder for caches. Throws `PeerMissing` when it can't
 * be installed.
 */
export async function installed(name: Packaged): Promise<string> {
  const caches = process.env['BENCH_CACHE'] ?? join(homedir(), '.cache', 'tocsin-bench')
  const folder = join(caches, `${name}-${versions[name]}`)
  if (existsSync(folder)) return folder
  const draft = `${folder}-${process.pid}`
  const flags = ['--no-save', '--no-audit', '--no-fund', '--omit=dev', '--loglevel=error']
  try {
    await mkdir(draft, { recursive: true })
    await promisify(execFile)('npm', ['install', ...flags, '--prefix', draft, `${name}@${versions[name]}`], {
      cwd: draft,
      timeout: INSTALL_MS
    })
    await rename(draft, folder) // whole, or not there
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    const reason = `npm could not install ${name}@${versions[name]}`
    throw new PeerMissing(name, reason, { cause: error })
  }
  return folder
}
