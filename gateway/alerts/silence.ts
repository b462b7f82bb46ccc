// A silence: somebody wants to hear nothing of some alerts for a time.
import type { AlertMatch } from './matcher.ts'

/** `s` and a number that counts the silences of this log. */
export type SilenceId = string & { readonly brand: 'SilenceId' }

/** What its author says. Times are ms since 1970 UTC. */
export interface SilenceDraft {
  readonly match: AlertMatch
  readonly from: number
  /** From then on it is over. */
  readonly until: number
  readonly comment: string
  readonly author: string
}

export interface Silence extends SilenceDraft {
  readonly id: SilenceId
  readonly createdAt: number
  /** Who ended it before its time; `until` is that time then. */
  readonly ended: { readonly at: number; readonly actor: string } | null
}

export type SilenceState = 'pending' | 'active' | 'ended'

export function silenceState({ from, until }: Silence, at: number): SilenceState {
  if (at >= until) return 'ended'
  return at < from ? 'pending' : 'active'
}

/** A silence for HTTP answers, with RFC 3339 times. */
export function silenceJson(silence: Silence, at: number): Record<string, unknown> {
  const { id, match, from, until, comment, author, createdAt, ended } = silence
  return {
    id,
    state: silenceState(silence, at),
    match,
    from: new Date(from).toISOString(),
    until: new Date(until).toISOString(),
    comment,
    author,
    createdAt: new Date(createdAt).toISOString(),
    ended: ended && { at: new Date(ended.at).toISOString(), actor: ended.actor }
  }
}
