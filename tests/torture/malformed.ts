// Malformed packets, frames and requests by the hundred thousand on every port, and clients that dribble.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { eventually } from '../helpers/eventually.ts'
import { ServerProcess, SHIPPED_NODE_ARGUMENTS } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import type { MalformedData, MalformedReport } from './malformed-senders.ts'
import { Probe } from './probe.ts'
import type { Scenario } from './scenario.ts'

const EACH = 10_000
const EACH_FULL = 200_000
const AT_ONCE = 40
/** A packet whose end never comes is ended by a time limit: the others don’t wait for that. */
const KEPT_MAX = 1500
const DRIBBLING = 40
const RESIDENT_MAX_BYTES = 512 * 1024 ** 2
const MIB = 1024 ** 2
const settings = {
  // What is malformed is to be read, and not refused for its number.
  'limits.connectsPerSecondMax': '0',
  'mqtt.connectTimeoutMs': '3s',
  'tcp.helloTimeoutMs': '3s',
  'http.authTimeoutMs': '3s'
}

export const malformed: Scenario = {
  name: 'malformed',
  claim:
    'Malformed packets, frames and requests on every port, and clients that dribble, cost their own connections and nobody else’s: each is ended or told its error, memory stays bounded, healthy clients are served throughout.',
  async run({ rounds, seed, full, say }) {
    const each = rounds ?? (full ? EACH_FULL : EACH)
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, settings, {
      nodeArguments: SHIPPED_NODE_ARGUMENTS
    })
    await using probe = await Probe.start(server)
    await eventually(async () => (await server.metric('tocsin_log_notifications_total')) > 20, {
      what: 'a warm server'
    })
    const before = { files: await server.openFiles(), bytes: await server.residentBytes() }
    probe.report()
    const { mqtt, tcp, http } = server.ports
    const data: MalformedData = {
      ports: { mqtt, tcp, http, feed: http, 'mqtt-websocket': http },
      token: server.adminToken,
      seed,
      each,
      atOnce: AT_ONCE,
      keptMax: KEPT_MAX,
      dribbling: DRIBBLING
    }
    const startedMs = performance.now()
    const report = await send(data, say)
    const seconds = (performance.now() - startedMs) / 1000
    const seen = probe.report()
    const quiet = await eventually(async () => (await server.openFiles()) <= before.files && probe.report(), {
      what: 'the end of all their connections',
      timeoutMs: 90_000,
      everyMs: 500
    }).catch(() => null)
    const left = (await server.openFiles()) - before.files
    const sent = Object.values(report.sent).reduce((sum, count) => sum + count, 0)
    return {
      figures: {
        'malformed packets, frames and requests': sent,
        connections: report.connections,
        seconds: Math.round(seconds),
        'connections that dribble': DRIBBLING * Object.keys(data.ports).length,
        'dribbling connections that the server ended': report.dribblesEnded,
        'longest that one was kept, s': Math.round(report.dribbleKeptMs / 1000),
        'neither ended nor answered': report.unanswered,
        'memory before, MiB': Math.round(before.bytes / MIB),
        'most memory, MiB': Math.round(seen.residentBytes / MIB),
        'open files before': before.files,
        'most open files': seen.files,
        'more open files afterwards': Math.max(0, left),
        'failures of healthy clients': seen.failures.length
      },
      tables: {
        'Healthy clients meanwhile, ms (on the same cores as all the load)': (
          ['mqtt', 'tcp', 'http', 'feed'] as const
        ).map(protocol => ({ protocol, ...seen[protocol] })),
        'Sent by port': Object.entries(report.sent).map(([port, count]) => ({ port, sent: count }))
      },
      faults: [
        ...(report.unanswered > 0
          ? [`${report.unanswered} were neither ended nor answered, such as ${report.examples.join(' | ')}`]
          : []),
        ...(seen.residentBytes > RESIDENT_MAX_BYTES
          ? [
              `the server took ${Math.round(seen.residentBytes / MIB)} MiB, more than ${RESIDENT_MAX_BYTES / MIB}`
            ]
          : []),
        ...(quiet === null ? [`${left} files are still open a while afterwards`] : []),
        ...seen.failures
      ]
    }
  }
}

async function send(data: MalformedData, say: (line: string) => void): Promise<MalformedReport> {
  const thread = new Worker(new URL('./malformed-senders.js', import.meta.url), { workerData: data })
  try {
    let toldMs = performance.now()
    for (;;) {
      const [report] = (await once(thread, 'message')) as [MalformedReport]
      if (report.done) return report
      if (performance.now() - toldMs < 5000) continue
      toldMs = performance.now()
      say(
        `${JSON.stringify(report.sent)}, ${report.unanswered} unanswered, ${report.dribblesEnded} dribbles ended`
      )
    }
  } finally {
    await thread.terminate()
  }
}
