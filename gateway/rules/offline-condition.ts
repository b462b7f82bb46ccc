// A device is offline for so long.
import type { Condition, Happening, KeyState, Step } from './condition.ts'
import { type Hold, holdDueAt, holding } from './hold.ts'
import type { OfflineRule } from './rule.ts'
import { clear, raise, stay } from './step.ts'

/** The state is a `Hold` while the device is offline. One that was raised is not raised again before it was online. */
export function offlineCondition({ offlineMs }: OfflineRule): Condition {
  return {
    take(state: KeyState | null, { kind, at, open }: Happening): Step {
      const before = state as Hold | null
      switch (kind) {
        case 'event':
          return stay(before)
        case 'online':
          return clear(null, open)
        case 'offline': {
          // Presence may come twice: only the first offline counts.
          if (before?.raised === true) return stay(before)
          const hold = holding(before, at, offlineMs)
          return hold.raised ? raise(hold) : stay(hold)
        }
      }
    },
    dueAt: state => holdDueAt(state as Hold, offlineMs),
    wake: (state, at) => raise(holding(state as Hold, at, offlineMs))
  }
}
