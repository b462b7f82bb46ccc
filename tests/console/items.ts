// Notifications as the feed shows them.
import type {
  AlertNotification,
  DeliveryNotification,
  EventNotification
} from '../../console/src/api/shapes.ts'

/** An event with a numbered cursor. */
export function item(n: number, overrides: Partial<EventNotification> = {}): EventNotification {
  return {
    cursor: `e-${n}`,
    at: 1_790_000_000_000 + n,
    kind: 'event',
    device: 'pump-1',
    severity: 'info',
    topic: 'site/pump',
    payload: { mmPerS: n },
    source: 'mqtt',
    ...overrides
  }
}

/** A notification of alert a1. */
export function alertItem(overrides: Partial<AlertNotification> = {}): AlertNotification {
  return {
    cursor: 'e-100',
    at: 1_790_000_000_100,
    kind: 'alert',
    device: 'pump-1',
    severity: 'major',
    alert: 'a1',
    rule: 'shakes',
    key: 'pump-1',
    state: 'firing',
    change: 'raised',
    title: 'pump-1 shakes',
    detail: '',
    count: 1,
    firstAt: 1_790_000_000_100,
    cause: 'e-1',
    ...overrides
  }
}

/** A delivery of alert a1. */
export function deliveryItem(overrides: Partial<DeliveryNotification> = {}): DeliveryNotification {
  return {
    cursor: 'e-200',
    at: 1_790_000_000_200,
    kind: 'delivery',
    device: 'pump-1',
    severity: 'major',
    alert: 'a1',
    delivery: 'd1',
    channel: 'desk',
    attempt: 1,
    outcome: 'sent',
    detail: '',
    cause: 'e-100',
    ...overrides
  }
}
