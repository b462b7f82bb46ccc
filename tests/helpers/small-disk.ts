// A file system of a few MB, to run out of space on.
import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from './temporary-folder.ts'

const run = promisify(execFile)
const MIB = 1024 ** 2

export interface SmallDisk extends AsyncDisposable {
  path: string
  /** Takes all space that is left. */
  fill(): Promise<void>
  /** Gives it back. */
  free(): Promise<void>
  /** Makes it read-only; only while no file on it is open for writing. */
  makeReadOnly(): Promise<void>
}

/** Whether mounting is permitted, which shows by trying; else says so on the console. */
export async function mountingIsPermitted(): Promise<boolean> {
  try {
    await using _disk = await smallDisk(1)
    return true
  } catch (error) {
    console.log(`skipped: no file system can be mounted here (${String(error).trim()})`)
    return false
  }
}

/** Mounts it. Throws where that is not permitted. */
export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'disk')
  await mkdir(path)
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
  const ballast = join(path, 'ballast')
  return {
    path,
    fill: () => fill(ballast),
    free: () => rm(ballast, { force: true }),
    makeReadOnly: async () => void (await run('mount', ['-o', 'remount,ro', path])),
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['-l', path])
      await folder[Symbol.asyncDispose]()
    }
  }
}

async function fill(ballast: string): Promise<void> {
  for (const bytes of [MIB, 65_536, 4096]) {
    try {
      for (;;) await writeFile(ballast, Buffer.alloc(bytes), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}
