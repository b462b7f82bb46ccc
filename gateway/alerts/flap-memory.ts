// When the alerts of a rule and key were raised of late, so that one that is raised again and again is known to flap.
import { Packr } from 'msgpackr'
import type { Tables } from '../../store/store.ts'
import type { Agenda } from '../alerting/agenda.ts'
import type { Ledger } from '../alerting/ledger.ts'
import type { Transaction } from '../transaction.ts'
import type { Raise } from './raise.ts'

const SCOPE = 'flapping'
const packr = new Packr({ useRecords: false })

interface Raises {
  /** ms since 1970 UTC, rising; no more than are needed to judge. */
  times: number[]
  /** When they are of no matter any more. */
  until: number
}

export interface FlapMemoryOptions {
  tables: Tables
  agenda: Agenda
  ledger: Ledger
}

export class FlapMemory {
  readonly #options: FlapMemoryOptions
  readonly #raises = new Map<string, Raises>()
  readonly #unsaved = new Set<string>()

  private constructor(options: FlapMemoryOptions) {
    this.#options = options
  }

  static async load(options: FlapMemoryOptions): Promise<FlapMemory> {
    const memory = new FlapMemory(options)
    await options.tables.state(SCOPE, rows => {
      for (const { key, value } of rows) memory.#raises.set(key, packr.unpack(value) as Raises)
    })
    for (const [name, { until }] of memory.#raises) memory.#forgetAt(name, until)
    options.ledger.join({ save: transaction => memory.#save(transaction) })
    return memory
  }

  /** Notes that an alert begins, and tells whether this makes enough of them to call it flapping. */
  begins({ rule, key, at, flapping }: Raise): boolean {
    if (flapping === null) return false
    const name = JSON.stringify([rule, key])
    const known = this.#raises.get(name)
    const times = (known?.times ?? []).filter(time => time > at - flapping.withinMs)
    times.push(at)
    const enough = times.length >= flapping.count
    const raises = { times: times.slice(-flapping.count), until: at + flapping.withinMs }
    this.#raises.set(name, raises)
    this.#unsaved.add(name)
    if (known === undefined) this.#forgetAt(name, raises.until)
    return enough
  }

  #forgetAt(name: string, until: number): void {
    this.#options.agenda.add(until, () => {
      const raises = this.#raises.get(name)
      if (raises === undefined) return
      if (raises.until > until) return this.#forgetAt(name, raises.until)
      this.#raises.delete(name)
      this.#unsaved.add(name)
      this.#options.ledger.touch()
    })
  }

  #save(transaction: Transaction): void {
    for (const key of this.#unsaved) {
      const raises = this.#raises.get(key)
      if (raises === undefined) transaction.write({ delete: 'state', scope: SCOPE, key })
      else transaction.write({ put: 'state', row: { scope: SCOPE, key, value: packr.pack(raises) } })
    }
    this.#unsaved.clear()
  }
}
