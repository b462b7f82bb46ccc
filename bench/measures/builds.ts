// Which builds of Tocsin are measured: this one, and beside it another one where the caller names it.
import { startTocsin, type TocsinOptions, type TocsinProcess } from '../servers/tocsin.ts'
import type { MeasureOptions } from '../result.ts'

export interface Build {
  name: string
  server: TocsinProcess
}

/** A build that is not running, with what it takes to start it as the caller of the bench wants it. */
export interface BuildOptions {
  name: string
  options: Pick<TocsinOptions, 'main' | 'nodeFlags'>
}

export function buildsOf({ against, profile }: Pick<MeasureOptions, 'against' | 'profile'>): BuildOptions[] {
  const nodeFlags = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const own = { name: 'Tocsin', options: { main: null, nodeFlags } }
  if (against === null) return [own]
  return [own, { name: 'Tocsin, other build', options: { main: against, nodeFlags } }]
}

/** Starts the builds. The stack ends them. */
export async function startBuilds(
  options: MeasureOptions,
  stack: AsyncDisposableStack,
  more: TocsinOptions = {}
): Promise<Build[]> {
  const builds: Build[] = []
  for (const { name, options: own } of buildsOf(options)) {
    const nodeFlags = [...(own.nodeFlags ?? []), ...(more.nodeFlags ?? [])]
    builds.push({ name, server: stack.use(await startTocsin({ ...more, ...own, nodeFlags })) })
  }
  return builds
}
