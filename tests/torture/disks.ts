// Disks that fail, as far as this machine lets us make them.
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

const run = promisify(execFile)

export interface LoopDisk extends AsyncDisposable {
  path: string
  /** Every write to it hangs until it is thawed. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** Only while no file on it is open for writing. */
  readOnly(only: boolean): Promise<void>
}

/** An ext4 file system of so many MB in a file. Throws where that is not permitted. */
export async function loopDisk(megabytes: number): Promise<LoopDisk> {
  const folder = await temporaryFolder()
  const image = join(folder.path, 'image')
  const path = join(folder.path, 'disk')
  await mkdir(path)
  try {
    await run('truncate', ['-s', `${megabytes}M`, image])
    await run('mkfs.ext4', ['-q', image])
    await run('mount', ['-o', 'loop', image, path])
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
  let frozen = false
  const thaw = async () => {
    if (frozen) await run('fsfreeze', ['-u', path])
    frozen = false
  }
  return {
    path,
    freeze: async () => {
      frozen = true
      await run('fsfreeze', ['-f', path])
    },
    thaw,
    readOnly: async only => void (await run('mount', ['-o', `remount,${only ? 'ro' : 'rw'}`, path])),
    [Symbol.asyncDispose]: async () => {
      await thaw()
      await run('umount', ['-l', path])
      await folder[Symbol.asyncDispose]()
    }
  }
}
