// Minutes of everything coming and going, and whether memory and open files stay flat.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Random } from '../helpers/random.ts'
import { ServerProcess, SHIPPED_NODE_ARGUMENTS } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { FaultyReceiver } from '../system/faulty-receiver.ts'
import { ChurnLoad, rulesOf } from './churn-load.ts'
import { flatnessOf, WARM_UP } from './flatness.ts'
import { plot } from './plot.ts'
import type { Scenario } from './scenario.ts'

/** V8 takes minutes until it is as large as it gets; a third of this is warm-up. */
const SECONDS = 480
const SECONDS_FULL = 1800
const SAMPLE_MS = 1000
const MIB = 1024 ** 2
/** Most that the line may rise after the warm-up. */
const MEMORY_RISE_MAX = 0.1
const FILES_RISE_MAX = 5
/** What would grow by itself for long is kept small, so that the warm-up fills it. */
const settings = {
  'store.recentBytesMax': '1MiB',
  'store.retentionBytesMax': '4MiB',
  'store.maintenanceMs': '1s',
  'alerting.keepResolvedMs': '10s',
  'delivery.allowPrivateAddresses': 'true',
  'delivery.retryFirstMs': '50ms',
  'delivery.retryMaxMs': '500ms',
  'delivery.timeoutMs': '300ms',
  'delivery.circuitMs': '200ms',
  'delivery.keepFailedMs': '5s',
  'devices.offlineDelayMs': '1s',
  'mqtt.sessionExpiryMaxS': '5'
}

export const churn: Scenario = {
  name: 'churn',
  claim:
    'While devices connect and leave, subscribe, raise alerts, rules are reloaded and silences come and go, resident memory and open files do not rise after the warm-up.',
  async run({ seconds: asked, seed, full, pictures, say }) {
    const seconds = asked ?? (full ? SECONDS_FULL : SECONDS)
    await using folder = await temporaryFolder()
    await using receiver = await FaultyReceiver.start(seed)
    const alertingFile = join(folder.path, 'alerting.yaml')
    await writeFile(alertingFile, rulesOf(0, receiver.url))
    await using server = await ServerProcess.start(
      join(folder.path, 'data'),
      { ...settings, 'alerting.file': alertingFile },
      { nodeArguments: SHIPPED_NODE_ARGUMENTS }
    )
    const load = new ChurnLoad({ server, random: new Random(seed), alertingFile, webhook: receiver.url })
    load.start()
    const samples = await sample(server, { seconds, say })
    await load.stop()
    const raised = await server.metric('tocsin_rule_raises_total')
    const memory = flatnessOf(samples.map(({ bytes }) => bytes / MIB))
    const files = flatnessOf(samples.map(({ files: open }) => open))
    const file = 'torture-churn.svg'
    await mkdir(pictures, { recursive: true })
    const times = samples.map(({ second }) => second)
    const judgedFrom = (times.at(-1) ?? 0) * WARM_UP
    await writeFile(
      join(pictures, file),
      plot(
        [
          { title: 'resident memory, MiB', values: samples.map(({ bytes }) => bytes / MIB), fit: memory },
          {
            title: 'old objects, MiB',
            values: samples.map(({ oldBytes }) => oldBytes / MIB),
            fit: flatnessOf(samples.map(({ oldBytes }) => oldBytes / MIB))
          },
          { title: 'open files', values: samples.map(({ files: open }) => open), fit: files }
        ],
        { seconds: times, judgedFrom }
      )
    )
    const rises = {
      memory: memory.rise > MEMORY_RISE_MAX,
      files: files.to - files.from > FILES_RISE_MAX
    }
    return {
      figures: {
        seconds,
        ...load.counts,
        'alerts raised': raised,
        'attempts at webhooks': receiver.attempts,
        'mean memory after the warm-up, MiB': memory.mean,
        'rise of memory meanwhile, %': memory.rise * 100,
        'mean of open files': files.mean,
        'rise of open files meanwhile': files.to - files.from
      },
      pictures: { [`images/${file}`]: 'Resident memory and open files over time' },
      faults: [
        ...(rises.memory
          ? [
              `memory rises by ${(memory.rise * 100).toFixed(1)} % after the warm-up, from ${memory.from.toFixed(0)} to ${memory.to.toFixed(0)} MiB`
            ]
          : []),
        ...(rises.files ? [`open files rise from ${files.from.toFixed(0)} to ${files.to.toFixed(0)}`] : []),
        ...Object.entries(load.counts).flatMap(([what, count]) => (count === 0 ? [`${what}: none`] : []))
      ],
      notes: [
        `Flat: a straight line by least squares through the samples of the last two thirds, one a second, rises by no more than ${MEMORY_RISE_MAX * 100} % of the mean memory, and by no more than ${FILES_RISE_MAX} files.`
      ]
    }
  }
}

interface Sample {
  second: number
  bytes: number
  files: number
  /** Of V8's objects that have survived, with those that are not collected yet. */
  oldBytes: number
  /** Outside V8's heap. */
  externalBytes: number
}

async function sample(
  server: ServerProcess,
  { seconds, say }: { seconds: number; say: (line: string) => void }
): Promise<Sample[]> {
  const samples: Sample[] = []
  const startMs = performance.now()
  for (let second = 0; second < seconds; second = (performance.now() - startMs) / 1000) {
    await delay(SAMPLE_MS)
    const latest = {
      second,
      bytes: await server.residentBytes(),
      files: await server.openFiles(),
      ...(await heapOf(server))
    }
    samples.push(latest)
    if (samples.length % 30 === 0)
      say(
        `${Math.round(second)} s: ${Math.round(latest.bytes / MIB)} MiB, of it ${Math.round(latest.oldBytes / MIB)} in old objects and ${Math.round(latest.externalBytes / MIB)} external; ${latest.files} files`
      )
  }
  return samples
}

async function heapOf(server: ServerProcess): Promise<Pick<Sample, 'oldBytes' | 'externalBytes'>> {
  const { body } = await server.ask('/metrics')
  const sum = (pattern: RegExp) =>
    [...String(body).matchAll(pattern)].reduce((total, [, bytes]) => total + Number(bytes), 0)
  return {
    oldBytes: sum(/^nodejs_heap_space_size_used_bytes\{space="(?:old|large_object)"\} (\d+)/gm),
    externalBytes: sum(/^nodejs_external_memory_bytes (\d+)/gm)
  }
}
