// A few notifications that filters tell apart.
import type { Draft } from '../../store/notification.ts'
import type { Log } from '../../store/store.ts'
import { appended, event } from './store-place.ts'

/** Seven notifications of several kinds, each in a block of its own. */
export async function appendMixture(log: Log): Promise<void> {
  const mixture: Draft[] = [
    event('1'),
    event('2', { device: 'pump-2', topic: 'pumps/2/state' }),
    event('3', { device: 'door-1', topic: 'doors/1', severity: 'minor' }),
    {
      kind: 'presence',
      device: 'pump-1',
      severity: 'info',
      status: 'online',
      reason: 'connect',
      session: 's',
      order: 1
    },
    {
      kind: 'alert',
      device: 'pump-1',
      severity: 'critical',
      alert: 'a',
      rule: 'r',
      key: 'k',
      state: 'firing',
      change: 'raised',
      firstAt: 1000,
      title: 't',
      detail: 'd',
      count: 1,
      cause: 'c'
    },
    {
      kind: 'delivery',
      device: '',
      severity: 'info',
      alert: 'a',
      delivery: 'n-1',
      channel: 'c',
      attempt: 1,
      outcome: 'sent',
      detail: '',
      cause: 'c'
    },
    event('7', { device: 'pump-2', topic: 'pumps/2/state', severity: 'major' })
  ]
  for (const draft of mixture) await appended(log, draft)
}
