// Folders of a run, which are gone after it even when it is broken off.
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFolder extends AsyncDisposable {
  path: string
}

/** A new folder in $BENCH_DIR, or where the system has such. */
export async function temporaryFolder(name: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), `tocsin-bench-${name}-`))
  const options = { recursive: true, force: true, maxRetries: 3 }
  const remove = () => rmSync(path, options)
  process.once('exit', remove)
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      process.off('exit', remove)
      await rm(path, options)
    }
  }
}
