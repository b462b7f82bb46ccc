// All silences: those to come, those that hold, and for a while those that are over.
import { Packr } from 'msgpackr'
import type { Tables } from '../../store/store.ts'
import type { Agenda, Appointment } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { Alert } from './alert.ts'
import { compileMatch } from './match-alert.ts'
import type { AlertTest } from './match-alert.ts'
import type { Silence, SilenceDraft, SilenceId, SilenceState } from './silence.ts'

export type { Silence, SilenceDraft, SilenceId, SilenceState } from './silence.ts'

const SCOPE = 'silence'
/** The number of the newest silence, which may have been deleted since. */
const NEWEST = { scope: 'alerting', key: 'silence-newest' }
const packr = new Packr({ useRecords: false })

export interface SilencesOptions {
  tables: Tables
  ledger: Ledger
  agenda: Agenda
  /** Of the section `alerting`. */
  settings: { silencesMax: number; keepResolvedMs: number }
}

export type SilenceAdded = { ok: true; silence: Silence } | { ok: false; code: 'silences-limit' }
/** `changed` is false where it was over already. */
export type SilenceEnded =
  { ok: true; silence: Silence; changed: boolean } | { ok: false; code: 'silence-unknown' }

/** A silence on its way: `state` is as far as the agenda has come, and `next` what it waits for. */
interface Entry {
  silence: Silence
  readonly matches: AlertTest
  state: SilenceState
  next: Appointment | null
}

export class Silences {
  readonly #options: SilencesOptions
  readonly #all = new Map<string, Entry>()
  /** Those that are not over. */
  readonly #current = new Set<Entry>()
  readonly #listeners: ((at: number) => void)[] = []
  #newest = 0

  private constructor(options: SilencesOptions) {
    this.#options = options
  }

  static async load(options: SilencesOptions): Promise<Silences> {
    const silences = new Silences(options)
    await options.tables.state(NEWEST.scope, rows => {
      const row = rows.find(({ key }) => key === NEWEST.key)
      if (row !== undefined) silences.#newest = packr.unpack(row.value) as number
    })
    const loaded: Silence[] = []
    await options.tables.state(SCOPE, rows => {
      for (const { value } of rows) loaded.push(packr.unpack(value) as Silence)
    })
    // The store's order is that of texts, in which s10 comes before s9.
    for (const silence of loaded.toSorted((a, b) => numberOf(a) - numberOf(b))) silences.#enter(silence)
    return silences
  }

  add({ match, from, until, comment, author }: SilenceDraft, at: number): SilenceAdded {
    if (this.#current.size >= this.#options.settings.silencesMax) return { ok: false, code: 'silences-limit' }
    const id = `s${++this.#newest}` as SilenceId
    const silence = { id, match, from, until, comment, author, createdAt: at, ended: null }
    this.#options.ledger.write({ put: 'state', row: { ...NEWEST, value: packr.pack(this.#newest) } })
    this.#write(silence)
    this.#enter(silence)
    this.#tell(at)
    return { ok: true, silence }
  }

  /** Ends one now, perhaps before it has begun. */
  end(id: string, at: number, actor: string): SilenceEnded {
    const entry = this.#all.get(id)
    if (entry === undefined) return { ok: false, code: 'silence-unknown' }
    const { silence } = entry
    if (silence.until <= at) return { ok: true, silence, changed: false }
    entry.silence = { ...silence, from: Math.min(silence.from, at), until: at, ended: { at, actor } }
    this.#write(entry.silence)
    this.#reach(entry, 'ended')
    this.#tell(at)
    return { ok: true, silence: entry.silence, changed: true }
  }

  /** All that are kept, newest first. */
  list(): Silence[] {
    return Array.from(this.#all.values(), ({ silence }) => silence).toReversed()
  }

  get(id: string): Silence | undefined {
    return this.#all.get(id)?.silence
  }

  /** The first silence that holds at this time and is for this alert. */
  silenceOf(alert: Alert, at: number): Silence | null {
    for (const { silence, matches } of this.#current)
      if (silence.from <= at && at < silence.until && matches(alert)) return silence
    return null
  }

  /** Calls with the time whenever one is added, begins, or is over. */
  onChange(listener: (at: number) => void): void {
    this.#listeners.push(listener)
  }

  #enter(silence: Silence): void {
    const entry: Entry = { silence, matches: compileMatch(silence.match), state: 'pending', next: null }
    this.#all.set(silence.id, entry)
    this.#current.add(entry)
    this.#reach(entry, 'pending')
  }

  /** It is in this state now; the agenda brings the next. */
  #reach(entry: Entry, state: SilenceState): void {
    const { agenda, settings } = this.#options
    const { from, until } = entry.silence
    const next = (at: number, state: SilenceState) =>
      agenda.add(at, () => {
        this.#reach(entry, state)
        this.#tell(at)
      })
    agenda.cancel(entry.next)
    entry.state = state
    if (state === 'pending') entry.next = next(from, 'active')
    else if (state === 'active') entry.next = next(until, 'ended')
    else {
      this.#current.delete(entry)
      entry.next = agenda.add(until + settings.keepResolvedMs, () => this.#delete(entry.silence))
    }
  }

  #delete({ id }: Silence): void {
    this.#all.delete(id)
    this.#options.ledger.write({ delete: 'state', scope: SCOPE, key: id })
  }

  #write(silence: Silence): void {
    const row = { scope: SCOPE, key: silence.id, value: packr.pack(silence) }
    this.#options.ledger.write({ put: 'state', row })
  }

  #tell(at: number): void {
    for (const listener of this.#listeners) listener(at)
  }
}

function numberOf({ id }: Silence): number {
  return Number(id.slice(1))
}
