// Whether an alert is to be kept from those it would be told to, and why.
import type { AlertBook } from './alert-book.ts'
import type { Alert } from './alert.ts'
import { Inhibitors } from './inhibitions.ts'
import type { Inhibition } from './inhibitions.ts'
import type { Silences } from './silences.ts'

export interface Mute {
  by: 'silence' | 'inhibition'
  /** The silence's id, or that of the alert that inhibits it. */
  id: string
  /** A sentence for people. */
  reason: string
}

export interface MutingOptions {
  silences: Silences
  /** Those of the file that is in force: another list when it was read anew. */
  inhibitions: () => readonly Inhibition[]
  book: AlertBook
}

export class Muting {
  readonly #options: MutingOptions
  readonly #listeners: ((at: number) => void)[] = []
  #inhibitions: readonly Inhibition[]
  #inhibitors: Inhibitors

  constructor(options: MutingOptions) {
    this.#options = options
    this.#inhibitions = options.inhibitions()
    this.#inhibitors = new Inhibitors(this.#inhibitions, options.book.open())
    options.silences.onChange(at => this.#tell(at))
    options.book.onChange((alert, change) => {
      if (change === 'repeated') return
      if (this.#current().take(alert)) this.#tell(alert.changedAt)
    })
  }

  /** What keeps this alert quiet at this time; null: nothing. */
  of(alert: Alert, at: number): Mute | null {
    const inhibitor = this.#current().inhibitorOf(alert)
    if (inhibitor !== null)
      return {
        by: 'inhibition',
        id: inhibitor.id,
        reason: `inhibited by ${inhibitor.id}: ${inhibitor.title}`
      }
    const silence = this.#options.silences.silenceOf(alert, at)
    if (silence === null) return null
    const { id, until, author, comment } = silence
    const reason = `silence ${id} of ${author} until ${new Date(until).toISOString()}`
    return { by: 'silence', id, reason: comment === '' ? reason : `${reason}: ${comment}` }
  }

  /** Calls with the time when alerts may be kept quiet, or be quiet no more, that were not, or were, before. */
  onChange(listener: (at: number) => void): void {
    this.#listeners.push(listener)
  }

  #current(): Inhibitors {
    const inhibitions = this.#options.inhibitions()
    if (inhibitions !== this.#inhibitions) {
      this.#inhibitions = inhibitions
      this.#inhibitors = new Inhibitors(inhibitions, this.#options.book.open())
    }
    return this.#inhibitors
  }

  #tell(at: number): void {
    for (const listener of this.#listeners) listener(at)
  }
}
