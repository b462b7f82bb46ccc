// Scopes and events for tests of rules.
import type { EventNotification } from '../../../store/notification.ts'
import type { Scope } from '../../../gateway/rules/expression.ts'

/** What an expression sees, as far as the test says. */
export function scopeOf(parts: Partial<Scope> = {}): Scope {
  return {
    payload: null,
    topic: 'site/north/freezer/7/temperature',
    device: 'freezer-7',
    at: Date.UTC(2026, 0, 31, 23, 30),
    severity: 'info',
    reason: '',
    rate: 0,
    key: '',
    rule: '',
    count: 0,
    ...parts
  }
}

/** An event with a payload of bytes or text, or of JSON made of any other value. */
export function eventOf(payload: unknown, parts: Partial<EventNotification> = {}): EventNotification {
  const bytes = payload instanceof Uint8Array ? payload : Buffer.from(textOf(payload))
  return {
    kind: 'event',
    seq: 1,
    at: Date.UTC(2026, 0, 31),
    device: 'freezer-7',
    severity: 'info',
    topic: 'site/north/freezer/7/temperature',
    payload: bytes,
    format: 'plain',
    source: 'mqtt',
    ...parts
  }
}

function textOf(payload: unknown): string {
  return typeof payload === 'string' ? payload : JSON.stringify(payload)
}
