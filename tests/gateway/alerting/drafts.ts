// Drafts for tests of alerting.
import type { EventDraft, PresenceDraft } from '../../../store/notification.ts'

/** An event with a JSON payload. */
export function reading(device: string, payload: unknown, changes: Partial<EventDraft> = {}): EventDraft {
  return {
    kind: 'event',
    device,
    severity: 'info',
    topic: `site/hall/${device}`,
    payload: Buffer.from(JSON.stringify(payload)),
    format: 'plain',
    source: 'mqtt',
    ...changes
  }
}

export function presence(device: string, status: 'online' | 'offline', reason = 'connect'): PresenceDraft {
  return { kind: 'presence', device, severity: 'info', status, reason, session: 's', order: 1 }
}
