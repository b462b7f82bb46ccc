// Cursors: a place in the log as opaque text, `<epoch>-<sequence in base 36>`. Pure.
import { StoreError } from './errors.ts'

declare const brand: unique symbol
/** A place in the log, as text for the outside: everything up to and including it has been seen. */
export type Cursor = string & { readonly [brand]: 'cursor' }

const shape = /^([0-9a-z]{1,32})-([0-9a-z]{1,11})$/

/** The cursor of sequence `seq` (0: before everything) in the log `epoch` (lower-case letters and digits). */
export function formatCursor(epoch: string, seq: number): Cursor {
  return `${epoch}-${seq.toString(36)}` as Cursor
}

/** Takes a cursor apart; throws `cursor-invalid` when the text is none. Whether the epoch is this log's, the caller checks. */
export function parseCursor(text: string): { epoch: string; seq: number } {
  const [, epoch, digits] = shape.exec(text) ?? []
  const seq = digits === undefined ? Number.NaN : Number.parseInt(digits, 36)
  if (epoch === undefined || !Number.isSafeInteger(seq)) {
    throw new StoreError(
      'cursor-invalid',
      `"${text.slice(0, 60)}" is not a cursor; use one that this server gave`
    )
  }
  return { epoch, seq }
}
