// Which core runs what: a server has core 0 for itself, everything that makes load shares core 1.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

export type Side = 'server' | 'load'

const cores: Record<Side, number> = { server: 0, load: 1 }
const possible = availableParallelism() >= 2 && spawnSync('taskset', ['-V']).status === 0

/** Whether processes are bound to cores here: it takes two cores, and taskset. */
export function isPinned(): boolean {
  return possible
}

/** The command line that runs a program on the core of its side. */
export function pinned(side: Side, command: readonly string[]): { program: string; args: string[] } {
  const [program = '', ...args] = possible ? ['taskset', '-c', String(cores[side]), ...command] : command
  return { program, args }
}
