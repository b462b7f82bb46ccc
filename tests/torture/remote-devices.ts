// Devices on another host: a process in a network namespace, which is told where the server is, and tells what was acknowledged.
import { loadSources, type LoadTarget, type Source } from '../system/load-sources.ts'
import { ExactSource } from '../system/exact-source.ts'
import { keepConnected } from './keep-connected.ts'
import { LongestWaits, type Waits } from './longest-waits.ts'

export type RemoteRequest = { kind: 'start'; target: LoadTarget } | { kind: 'stop' } | { kind: 'report' }

export interface RemoteReport {
  sources: { name: string; protocol: Source['protocol']; once: boolean; sent: number; acknowledged: number }[]
  /** Attempts to connect. */
  connects: number
  /** Since the report before. */
  waits: Waits
}

const SILENCE_MAX_MS = 2000
const LOOK_MS = 10

/** The devices, by their names. */
export function remoteSources(): Source[] {
  return [
    ...loadSources({ each: 4, window: 16 }),
    ...[0, 1].map(index => new ExactSource({ name: `exact-${index}`, window: 16 }))
  ]
}

if (process.send) {
  const sources = remoteSources()
  const stopping = new AbortController()
  const waits = new LongestWaits(sources, performance.now())
  let connects = 0
  const answer = () => {
    const report: RemoteReport = {
      sources: sources.map(({ name, protocol, once, sent, acknowledged }) => ({
        name,
        protocol,
        once,
        sent,
        acknowledged
      })),
      connects,
      waits: waits.take(performance.now())
    }
    process.send?.(report)
  }
  process.on('message', (request: RemoteRequest) => {
    if (request.kind === 'start') {
      setInterval(() => waits.look(performance.now()), LOOK_MS)
      for (const source of sources) {
        source.run(true)
        const onConnect = () => connects++
        const keep = { stopping: stopping.signal, silenceMaxMs: SILENCE_MAX_MS, onConnect }
        void keepConnected(source, request.target, keep)
      }
    }
    if (request.kind === 'stop') for (const source of sources) source.run(false)
    answer()
  })
}
