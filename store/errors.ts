// Errors of the store that its callers can meet.

export type StoreErrorCode =
  /** The log can't commit now (disk full, disk error); it tries again by itself. */
  | 'store-unavailable'
  /** The store is closing or closed. */
  | 'store-closed'
  /** Another process serves this folder. */
  | 'store-locked'
  /** The data was written by a newer version, or is damaged. */
  | 'store-unreadable'
  /** The system does not give the memory that a setting asks for. */
  | 'memory-short'
  /** A cursor that isn't one. */
  | 'cursor-invalid'

/** An error of the store, with a code to act on and a sentence for people. */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
