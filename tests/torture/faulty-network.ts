// Devices behind proxies that make their connections late, cut them in pieces, reset them or leave them half open.
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { readEvents } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { countLost, countRepeats } from '../system/crash-oracle.ts'
import { ExactSource } from '../system/exact-source.ts'
import { loadSources, totalAcknowledged, totalOpen, type LoadTarget } from '../system/load-sources.ts'
import { FaultyProxy, type Fate } from './faulty-proxy.ts'
import { keepConnected } from './keep-connected.ts'
import { countFaults, type Outcome } from './scenario.ts'

/** Devices of both protocols behind a proxy that is a bad network. */
export async function overFaultyNetwork(
  dir: string,
  { seconds, seed, say }: { seconds: number; seed: number; say: (line: string) => void }
): Promise<Outcome> {
  await using server = await ServerProcess.start(dir)
  await using mqtt = await FaultyProxy.start(server.ports.mqtt, seed)
  await using tcp = await FaultyProxy.start(server.ports.tcp, seed + 1)
  const target: LoadTarget = { ports: { mqtt: mqtt.port, tcp: tcp.port } }
  const sources = [
    ...loadSources({ each: 8, window: 16 }),
    ...[0, 1, 2, 3].map(index => new ExactSource({ name: `exact-${index}`, window: 16 }))
  ]
  const stopping = new AbortController()
  const keeping = sources.map(source => keepConnected(source, target, { stopping: stopping.signal }))
  for (const source of sources) source.run(true)
  await delay(seconds * 1000)
  for (const source of sources) source.run(false)
  mqtt.faulty = false
  tcp.faulty = false
  await eventually(() => totalOpen(sources) === 0, { what: 'every acknowledgement', timeoutMs: 60_000 })
  stopping.abort()
  for (const source of sources) await source.close()
  const connects = (await Promise.all(keeping)).reduce((sum, count) => sum + count, 0)
  const log = await readEvents(server)
  const zero = {
    'acknowledged and lost over a faulty network': countLost(sources, log),
    'repeated there over raw TCP or at QoS 2': countRepeats(sources, log)
  }
  const left = await eventually(
    async () => (await server.metric('tocsin_device_connections')) <= mqtt.dangling + tcp.dangling,
    {
      what: 'the end of connections'
    }
  ).catch(() => null)
  say(`${connects} connects over the faulty network: ${JSON.stringify([mqtt.counts, tcp.counts])}`)
  const fates = Object.keys(mqtt.counts) as Fate[]
  return {
    figures: {
      'seconds over a faulty network': seconds,
      'events acknowledged over it': totalAcknowledged(sources),
      ...zero
    },
    tables: {
      'Connections over the faulty network': fates.map(fate => ({
        fate,
        MQTT: mqtt.counts[fate],
        'raw TCP': tcp.counts[fate]
      }))
    },
    faults: [
      ...countFaults(zero),
      ...(left === null ? ['the server counts connections that nobody has'] : [])
    ]
  }
}
