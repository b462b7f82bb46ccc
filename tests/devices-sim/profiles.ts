// Profiles for tests.
import { parseProfile, type Profile } from '../../devices-sim/profile.ts'

/** A profile from YAML that must be good. */
export function profileOf(yaml: string): Profile {
  const result = parseProfile(yaml)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.profile
}

/** One quick kind of device with these faults. */
export function quickProfile(faults = '{}', intervalMs = 20): Profile {
  return profileOf(`
name: quick
count: 1
sites: [here]
faults: ${faults}
kinds:
  - kind: sensor
    topic: site/{site}/{kind}/{id}
    interval: ${intervalMs}ms
    fields:
      celsius: { signal: daily, mean: 20, amplitude: 2, noise: 0.5 }
`)
}
