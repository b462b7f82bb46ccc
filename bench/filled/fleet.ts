// Who the notifications of a filled log are from.

export const PAYLOAD_BYTES = 100
export const DEVICES = 5000
/** One in so many notifications is from the device that seldom says anything. */
export const SELDOM_EVERY = 100_000
export const SELDOM = 'seldom'
/** A device that says as much as the others. */
export const OFTEN = 'device-4999'

/** The device of the n-th notification, counted from 0. */
export function deviceOf(index: number): string {
  return index % SELDOM_EVERY === SELDOM_EVERY / 2 ? SELDOM : `device-${index % DEVICES}`
}

/** How many of the first `notifications` are from the device. */
export function eventsOf(device: typeof SELDOM | typeof OFTEN, notifications: number): number {
  const [first, every] = device === SELDOM ? [SELDOM_EVERY / 2, SELDOM_EVERY] : [DEVICES - 1, DEVICES]
  return Math.max(0, Math.ceil((notifications - first) / every))
}
