// Which builds of Tocsin are measured: this one, and beside it another one where the caller names it.
import { startTocsin, type TocsinOptions, type TocsinProcess } from '../servers/tocsin.ts'
import type { MeasureOptions } from '../result.ts'

export interface Build {
  name: string
  server: TocsinProcess
}

/** Starts the builds. The stack ends them. */
export async function startBuilds(
  { against, profile }: MeasureOptions,
  stack: AsyncDisposableStack,
  options: TocsinOptions = {}
): Promise<Build[]> {
  const mains = against === null ? [null] : [null, against]
  const builds: Build[] = []
  const profiling = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const nodeFlags = [...profiling, ...(options.nodeFlags ?? [])]
  for (const main of mains) {
    const server = stack.use(await startTocsin({ ...options, main, nodeFlags }))
    builds.push({ name: main === null ? 'Tocsin' : `Tocsin, other build`, server })
  }
  return builds
}
