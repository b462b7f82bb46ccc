// Devices as the server lists them, and a server of them.
import type { Device, DevicePage } from '../../console/src/api/shapes.ts'

export function deviceOf(id: string, changed: Partial<Device> = {}): Device {
  return {
    id,
    registered: false,
    createdAt: null,
    presence: null,
    firstSeenAt: null,
    lastSeenAt: null,
    events: 0,
    eventsPerMinute: 0,
    last: null,
    ...changed
  }
}

/** The page that a server with these devices, in order, answers. */
export function pageOf(
  devices: readonly Device[],
  wish: { cursor?: string | undefined; limit: number }
): DevicePage {
  const rest = devices.filter(({ id }) => id > (wish.cursor ?? ''))
  const items = rest.slice(0, wish.limit)
  return { items, cursor: rest.length > items.length ? (items.at(-1)?.id ?? null) : null }
}

/** Devices `d000`, `d001` and on. */
export function numberedDevices(count: number): Device[] {
  return Array.from({ length: count }, (_, index) => deviceOf(`d${String(index).padStart(3, '0')}`))
}
