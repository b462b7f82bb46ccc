// Devices on a second host whose cable is pulled and plugged in again: half-open connections as real networks leave them.
import { setTimeout as delay } from 'node:timers/promises'
import { makeSecondHost, RemoteFleet, startServerFor } from './remote-fleet.ts'
import { countFaults, type Outcome } from './scenario.ts'

/** The server takes a device for gone after one and a half times its keep alive, and looks now and then. */
const NOTICED_MAX_MS = 15_000
const BETWEEN_MS = 2000

/** Throws `NotRunnable` where the machine has no network namespaces. */
export async function partition(
  dir: string,
  { rounds, say }: { rounds: number; say: (line: string) => void }
): Promise<Outcome> {
  await using host = await makeSecondHost()
  await using server = await startServerFor(host, dir)
  await using fleet = await RemoteFleet.start(host, server)
  let [noticedSeconds, backSeconds] = [0, 0]
  for (let round = 1; round <= rounds; round++) {
    await delay(BETWEEN_MS)
    await host.cable(false)
    const noticed = await secondsUntil(fleet.connected(0, NOTICED_MAX_MS))
    await host.cable(true)
    const back = await secondsUntil(fleet.connected(fleet.size))
    say(
      `cable pulled, ${round} of ${rounds}: noticed after ${noticed.toFixed(1)} s, all back after ${back.toFixed(1)} s`
    )
    noticedSeconds = Math.max(noticedSeconds, noticed)
    backSeconds = Math.max(backSeconds, back)
  }
  const { acknowledged, lost, repeated } = await fleet.end()
  return {
    figures: {
      'times the cable of a second host was pulled': rounds,
      'events acknowledged to it': acknowledged,
      'longest until the server had noticed (keep alive 2 s), s': noticedSeconds,
      'longest until all were back after plugging in, s': backSeconds,
      'acknowledged to it and lost': lost,
      'repeated from it over raw TCP or at QoS 2': repeated
    },
    faults: countFaults({ 'lost by a second host': lost, 'repeated by a second host': repeated }),
    notes: ['The second host is a network namespace.']
  }
}

async function secondsUntil(event: Promise<void>): Promise<number> {
  const sinceMs = performance.now()
  await event
  return (performance.now() - sinceMs) / 1000
}
