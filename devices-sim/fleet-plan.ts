// Who is in a fleet: kind, site, protocol and id of every device. Follows from profile and options alone.
import type { KindProfile, Profile } from './profile.ts'

export type Protocol = 'mqtt' | 'tcp'

/** A device's part in the fleet. */
export interface DevicePart {
  index: number
  id: string
  kind: KindProfile
  site: string
  topic: string
  protocol: Protocol
  mqttVersion: 4 | 5
  token: string | null
}

export interface Credentials {
  id: string
  token: string
}

export interface FleetPlanOptions {
  count: number
  /** Which protocols are spoken; `both` as the profile shares them out. */
  protocol: Protocol | 'both'
  /** Registered devices; the first `count` of them are played. Empty: anonymous devices with made-up ids. */
  credentials: readonly Credentials[]
}

/** Shares out kinds, protocols and sites evenly, so that a small fleet has some of everything. */
export function planFleet(profile: Profile, options: FleetPlanOptions): DevicePart[] {
  const mqttShare = options.protocol === 'both' ? profile.mqttShare : options.protocol === 'mqtt' ? 1 : 0
  const credit = profile.kinds.map(() => 0)
  const shares = profile.kinds.map(kind => kind.share)
  const total = shares.reduce((sum, each) => sum + each, 0)
  const seen = new Map<string, number>()
  let mqttDevices = 0
  return Array.from({ length: options.count }, (_, index) => {
    const kind = nextKind()
    const nth = seen.get(kind.kind) ?? 0
    seen.set(kind.kind, nth + 1)
    const protocol: Protocol = takes(mqttShare, index) ? 'mqtt' : 'tcp'
    const mqttVersion = protocol === 'mqtt' && takes(profile.mqtt5Share, mqttDevices++) ? 5 : 4
    const site = profile.sites[nth % profile.sites.length] ?? 'main'
    const registered = options.credentials[index]
    const id = registered?.id ?? `${kind.kind}-${String(nth + 1).padStart(4, '0')}`
    const topic = kind.topic.replace(/\{(site|kind|id)\}/g, (_, name: 'site' | 'kind' | 'id') =>
      name === 'site' ? site : name === 'kind' ? kind.kind : id
    )
    return { index, id, kind, site, topic, protocol, mqttVersion, token: registered?.token ?? null }
  })

  /** The kind that is furthest behind its share. */
  function nextKind(): KindProfile {
    let best = 0
    shares.forEach((each, index) => {
      credit[index] = (credit[index] ?? 0) + each
      if ((credit[index] ?? 0) > (credit[best] ?? 0)) best = index
    })
    credit[best] = (credit[best] ?? 0) - total
    const kind = profile.kinds[best]
    if (kind === undefined) throw new Error('a profile has at least one kind')
    return kind
  }
}

/** Whether the nth (from 0) is one of those that make up the share, spread evenly. */
function takes(share: number, nth: number): boolean {
  return Math.floor((nth + 1) * share + 1e-9) > Math.floor(nth * share + 1e-9)
}

/** Events a second of the whole fleet at the profile's own intervals. */
export function fleetEventsPerSecond(parts: readonly DevicePart[]): number {
  return parts.reduce((sum, part) => sum + 1000 / part.kind.interval, 0)
}
