// A row of the log's table as the seal of its block wants it.
import { unseal, type SealedHead, type UnsealedHead } from '../block-seal.ts'

/** A head that was read: `seal` is null when it is not what was written. */
export interface ReadHead extends SealedHead {
  seal: UnsealedHead | null
}

/** Reads a row with the columns of a head. */
export function headOf(row: Record<string, unknown>): ReadHead {
  const head = {
    first: Number(row['first']),
    last: Number(row['last']),
    atMin: Number(row['at_min']),
    atMax: Number(row['at_max']),
    kinds: Number(row['kinds']),
    severity: Number(row['severity']),
    bodyBytes: Number(row['bytes'])
  }
  const { devices } = row as { devices?: unknown }
  return { ...head, seal: devices instanceof Uint8Array ? unseal(devices, head) : null }
}
