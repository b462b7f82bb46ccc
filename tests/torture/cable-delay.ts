// Makes packets of the cable to a second host late, both ways, with what the kernel has for it: netem, which holds each
// packet back for a time of its own, so that some overtake others; else tbf, a narrow link where they wait for each other.
import type { SecondHost } from './hosts.ts'

const NETEM = ['netem', 'delay', '50ms', '12ms']
const TBF = ['tbf', 'rate', '512kbit', 'burst', '4kb', 'latency', '1s']

/** What was done to packets. */
export interface CableDelay {
  /** In a few words. */
  name: string
  /** As a sentence. */
  note: string
}

/** Null where the kernel has neither. */
export async function delayCable(host: SecondHost): Promise<CableDelay | null> {
  if (await shape(host, NETEM))
    return {
      name: 'late by 50 ± 12 ms',
      note: 'In one phase packets were also late by 50 ± 12 ms in either direction (netem), so that some overtook others.'
    }
  if (await shape(host, TBF))
    return {
      name: '512 kbit/s',
      note: 'In one phase each direction was also held to 512 kbit/s (tbf), so that packets waited for each other; this kernel has no netem, which would make each late by itself.'
    }
  return null
}

export async function undelayCable({ ends }: SecondHost): Promise<void> {
  for (const { device, run } of ends) await run('tc', ['qdisc', 'del', 'dev', device, 'root'])
}

async function shape({ ends }: SecondHost, discipline: readonly string[]): Promise<boolean> {
  try {
    for (const { device, run } of ends)
      await run('tc', ['qdisc', 'replace', 'dev', device, 'root', ...discipline])
    return true
  } catch {
    return false // the kernel does not know it
  }
}
