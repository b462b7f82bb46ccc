// Where reading begins, and whether anything between there and the client's place is missing. Pure.
import { formatCursor, parseCursor } from '../../store/cursor.ts'
import { StoreError } from '../../store/errors.ts'
import type { LogBounds } from '../../store/store.ts'
import { GatewayError } from '../errors.ts'

export interface Start {
  /** Delivery begins after this sequence. */
  after: number
  /** Everything after the client's place is, or will be, sent. */
  recovered: boolean
  /** What is missing: after `from`, up to and including `to`. Null exactly when recovered. */
  gap: { from: string; to: string } | null
}

/**
 * Resolves `after`: a cursor, `earliest`, or nothing for now. A cursor of another log, one that retention has passed and
 * one beyond the end of this log (which was then restored from an older copy) are not recovered: delivery goes on from
 * the earliest notification that is kept. Throws `cursor-invalid` for text that is no cursor.
 */
export function resolveStart(after: string | undefined, { epoch, first, last }: LogBounds): Start {
  if (after === undefined) return { after: last, recovered: true, gap: null }
  if (after === 'earliest') return { after: first - 1, recovered: true, gap: null }
  const place = readCursor(after)
  if (place.epoch === epoch && place.seq >= first - 1 && place.seq <= last)
    return { after: place.seq, recovered: true, gap: null }
  return { after: first - 1, recovered: false, gap: { from: after, to: formatCursor(epoch, first - 1) } }
}

export interface StartBackward {
  /** Only what has a lower sequence is read. */
  before: number
  /** What the client's log had and this one has not: after `from`, up to and including `to`. */
  gap: { from: string; to: string } | null
}

/**
 * Resolves `before`: a cursor, or `latest`. For a cursor of another log and one beyond the end of this log, reading
 * begins at the end, with a gap from there to the client's place. Before one that retention has passed there is nothing,
 * and nothing that the client should have seen: that is no gap. Throws `cursor-invalid` for text that is no cursor.
 */
export function resolveStartBackward(before: string, { epoch, last }: LogBounds): StartBackward {
  if (before === 'latest') return { before: last + 1, gap: null }
  const place = readCursor(before)
  // One after the last is where an empty log is read on from.
  if (place.epoch === epoch && place.seq <= last + 1) return { before: place.seq, gap: null }
  return { before: last + 1, gap: { from: formatCursor(epoch, last), to: before } }
}

/** As `resolveStartBackward`, for a place up to and including which is read: what a feed that began there does not send. */
export function resolveStartThrough(through: string, bounds: LogBounds): StartBackward {
  const start = resolveStartBackward(through, bounds)
  return start.gap === null ? { ...start, before: Math.min(start.before, bounds.last) + 1 } : start
}

/** Takes a client's cursor apart; throws `cursor-invalid`. */
export function readCursor(text: string): { epoch: string; seq: number } {
  try {
    return parseCursor(text)
  } catch (error) {
    if (error instanceof StoreError) throw new GatewayError('cursor-invalid', error.message)
    throw error
  }
}
