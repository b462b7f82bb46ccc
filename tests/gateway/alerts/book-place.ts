// An alert book over a real store, with time that the test moves, and the same again after a restart.
import { Registry } from 'prom-client'
import { Agenda } from '../../../gateway/alerting/agenda.ts'
import { Ledger } from '../../../gateway/alerting/ledger.ts'
import { AlertBook } from '../../../gateway/alerts/alert-book.ts'
import type { AlertBookOptions } from '../../../gateway/alerts/alert-book.ts'
import type { AlertNotification, Notification } from '../../../store/notification.ts'
import type { Store, StoreOptions } from '../../../store/store.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { ControlledClock } from '../controlled-clock.ts'
import { metricValue, openStoreIn, silent } from '../harness.ts'

/** Everything that lives as long as a process does. */
export interface BookRun {
  store: Store
  ledger: Ledger
  agenda: Agenda
  book: AlertBook
  registry: Registry
}

export interface BookPlaceOptions {
  settings?: Partial<AlertBookOptions['settings']>
  store?: Partial<StoreOptions>
}

export class BookPlace {
  readonly clock: ControlledClock
  readonly #folder: AsyncDisposable & { path: string }
  readonly #options: BookPlaceOptions
  #run: BookRun

  private constructor(parts: {
    folder: AsyncDisposable & { path: string }
    clock: ControlledClock
    options: BookPlaceOptions
    run: BookRun
  }) {
    this.#folder = parts.folder
    this.clock = parts.clock
    this.#options = parts.options
    this.#run = parts.run
  }

  static async open(options: BookPlaceOptions = {}): Promise<BookPlace> {
    const folder = await temporaryFolder()
    const clock = new ControlledClock(0)
    const run = await startRun(folder.path, clock, options)
    return new BookPlace({ folder, clock, options, run })
  }

  get book(): AlertBook {
    return this.#run.book
  }

  get store(): Store {
    return this.#run.store
  }

  get ledger(): Ledger {
    return this.#run.ledger
  }

  get agenda(): Agenda {
    return this.#run.agenda
  }

  /** Time comes to `at`: what is due happens, and becomes durable. */
  async until(at: number): Promise<void> {
    this.agenda.advance(at)
    await this.clock.advance(Math.max(0, at - this.clock.now()), () => this.ledger.durable())
  }

  /** Closes and opens everything again, as it is on disk. */
  async restart(): Promise<void> {
    await this.ledger.durable()
    await this.store.close()
    this.#run = await startRun(this.#folder.path, this.clock, this.#options)
  }

  /** All notifications, once what was decided is durable. */
  async notifications(): Promise<Notification[]> {
    await this.ledger.durable()
    return (await this.store.log.read(0, { limit: 10_000 })).items
  }

  /** Those of alerts, as `a1 raised`. */
  async changes(): Promise<string[]> {
    return (await this.alertNotifications()).map(({ alert, change }) => `${alert} ${change}`)
  }

  async alertNotifications(): Promise<AlertNotification[]> {
    return (await this.notifications()).filter(item => item.kind === 'alert')
  }

  metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    return metricValue(this.#run.registry, name, labels)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close()
    await this.#folder[Symbol.asyncDispose]()
  }
}

async function startRun(dir: string, clock: ControlledClock, options: BookPlaceOptions): Promise<BookRun> {
  const store = await openStoreIn(dir, { now: clock.now, ...options.store })
  const { log, tables } = store
  const registry = new Registry()
  const ledger = new Ledger({ log, clock, saveMs: 5000 })
  const agenda = new Agenda()
  const settings = { openMax: 1000, repeatTellMs: 60_000, keepResolvedMs: 86_400_000, ...options.settings }
  const book = await AlertBook.load({
    log,
    tables,
    ledger,
    agenda,
    clock,
    settings,
    logger: silent,
    registry
  })
  return { store, ledger, agenda, book, registry }
}
