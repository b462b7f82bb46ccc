// Registered devices held in memory, for tests of parts that only look them up.
import { hashToken } from '../../store/credentials.ts'
import type { DeviceRow, Registry } from '../../store/store.ts'

/** A registry of the given devices, id to token. */
export function devicesWith(tokens: Record<string, string>): Registry<DeviceRow> {
  const rows = new Map<string, DeviceRow>()
  for (const [id, token] of Object.entries(tokens)) {
    rows.set(id, { id, tokenHash: hashToken(token), createdAt: 0 })
  }
  return {
    get: id => rows.get(id),
    list: () => [...rows.values()],
    put: async row => void rows.set(row.id, row),
    remove: async id => rows.delete(id),
    onChange: () => {}
  }
}
