// Brings load sources back whenever their connections are gone, or nothing comes on them any more.
import { setTimeout as delay } from 'node:timers/promises'
import type { LoadTarget, Source } from '../system/load-sources.ts'

const AGAIN_MS = 50
const LOOK_MS = 100

export interface KeepOptions {
  stopping: AbortSignal
  /** A connection with events under way and no acknowledgement for so long is given up, ms; never without. */
  silenceMaxMs?: number
  /** Called at each attempt. */
  onConnect?: () => void
}

/** Connects again and again; resolves with how often, when it is told to stop and the connection is gone. */
export async function keepConnected(
  source: Source,
  target: LoadTarget,
  { stopping, silenceMaxMs = Infinity, onConnect }: KeepOptions
): Promise<number> {
  let connects = 0
  while (!stopping.aborted) {
    connects++
    onConnect?.()
    // A connection that ends before it is welcome is tried again, too. What is wrong with a welcome is not.
    const problem = await source.connect(target).catch(() => 'gone')
    if (problem !== null && problem !== 'gone' && problem !== '[]') throw new Error(problem)
    if (problem === null) await ended(source, silenceMaxMs)
    else await delay(AGAIN_MS)
  }
  return connects
}

async function ended(source: Source, silenceMaxMs: number): Promise<void> {
  const closed = source.closed().then(() => 'closed' as const)
  let [acknowledged, sinceMs] = [source.acknowledged, performance.now()]
  while ((await Promise.race([closed, delay(LOOK_MS)])) !== 'closed') {
    const idle = source.sent === source.acknowledged
    if (source.acknowledged !== acknowledged || idle)
      [acknowledged, sinceMs] = [source.acknowledged, performance.now()]
    if (performance.now() - sinceMs > silenceMaxMs) await source.close()
  }
}
