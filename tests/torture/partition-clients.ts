// Devices on another host: a process in a network namespace, which is told where the server is, and tells what was acknowledged.
import { loadSources, totalOpen, type LoadTarget, type Source } from '../system/load-sources.ts'
import { ExactSource } from '../system/exact-source.ts'
import { keepConnected } from './keep-connected.ts'

export type PartitionRequest = { kind: 'start'; target: LoadTarget } | { kind: 'stop' } | { kind: 'report' }

export interface PartitionReport {
  sources: { name: string; protocol: Source['protocol']; once: boolean; sent: number; acknowledged: number }[]
  /** By name, what was sent and not acknowledged. */
  open: Record<string, number[]>
  connects: number
}

const SILENCE_MAX_MS = 2000

/** The devices, by their names. */
export function partitionSources(): Source[] {
  return [
    ...loadSources({ each: 4, window: 16 }),
    ...[0, 1].map(index => new ExactSource({ name: `exact-${index}`, window: 16 }))
  ]
}

if (process.send) {
  const sources = partitionSources()
  const stopping = new AbortController()
  let connects = 0
  let target: LoadTarget | null = null
  const answer = () => {
    const report: PartitionReport = {
      sources: sources.map(({ name, protocol, once, sent, acknowledged }) => ({
        name,
        protocol,
        once,
        sent,
        acknowledged
      })),
      open: Object.fromEntries(
        sources.map(source => [
          source.name,
          totalOpen([source]) === 0
            ? []
            : Array.from({ length: source.sent }, (_, index) => index + 1).filter(
                n => !source.wasAcknowledged(n)
              )
        ])
      ),
      connects
    }
    process.send?.(report)
  }
  process.on('message', (request: PartitionRequest) => {
    if (request.kind === 'start') {
      target = request.target
      for (const source of sources) {
        source.run(true)
        void keepConnected(source, target, { stopping: stopping.signal, silenceMaxMs: SILENCE_MAX_MS }).then(
          count => (connects += count)
        )
      }
    }
    if (request.kind === 'stop') for (const source of sources) source.run(false)
    answer()
  })
}
