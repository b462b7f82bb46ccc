// Starts a small fleet in tests and stops it with them.
import { Fleet, type FleetOptions } from '../../devices-sim/fleet.ts'
import { quickProfile } from './profiles.ts'

/** A running fleet with quick reconnects; use with `await using`. */
export function runningFleet(options: Partial<FleetOptions>): Fleet & AsyncDisposable {
  const nowhere = { host: '127.0.0.1', port: 1 }
  const fleet = new Fleet({
    profile: quickProfile(),
    seed: 'test',
    count: 1,
    protocol: 'tcp',
    mqtt: nowhere,
    tcp: nowhere,
    credentials: [],
    eventsPerSecond: null,
    rampPerSecond: 1000,
    recorder: null,
    backOffMinMs: 10,
    backOffMaxMs: 50,
    ...options
  })
  fleet.start()
  return Object.assign(fleet, { [Symbol.asyncDispose]: () => fleet.stop(0) })
}
