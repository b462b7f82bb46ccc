// A format makes of a notice what a receiver reads.
import type { Notice } from '../notice.ts'

export interface FormatContext {
  /** The channel’s name. */
  channel: string
  /** Where people reach this server; empty: no links. */
  publicUrl: string
}

export interface Formatted {
  contentType: string
  body: string
}

/** Pure: the same notice has the same body in every attempt. */
export type Format = (notice: Notice, context: FormatContext) => Formatted

export const JSON_TYPE = 'application/json'
