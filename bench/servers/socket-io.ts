// Socket.IO as its users run it: a plain server that broadcasts one message at a time. It is no dependency of ours; it is
// installed in a temporary folder, which later runs find again.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { lineOf, startServer, type ServerProcess } from './server.ts'

export interface SocketIoProcess extends ServerProcess {
  port: number
}

const VERSION = '4.8.4'
const program = fileURLToPath(new URL('./socket-io-program.js', import.meta.url))

/** Starts it; it broadcasts `perSecond` messages from a client's `start` to a `stop`. */
export async function startSocketIo({
  perSecond,
  payloadBytes
}: {
  perSecond: number
  payloadBytes: number
}): Promise<SocketIoProcess> {
  const folder = await installed()
  const server = await startServer([
    process.execPath,
    program,
    folder,
    String(perSecond),
    String(payloadBytes)
  ])
  const line = await lineOf(server.child, text => text.startsWith('port '))
  return { ...server, port: Number(line.slice('port '.length)) }
}

/** The folder with Socket.IO in it. */
async function installed(): Promise<string> {
  const folder = join(tmpdir(), `tocsin-bench-socket.io-${VERSION}`)
  if (existsSync(folder)) return folder
  const draft = `${folder}-${process.pid}`
  await mkdir(draft, { recursive: true })
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', draft, `socket.io@${VERSION}`]
  try {
    await promisify(execFile)('npm', args, { cwd: draft })
    await rename(draft, folder) // whole, or not there
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw new Error('Socket.IO could not be installed to compare with', { cause: error })
  }
  return folder
}
