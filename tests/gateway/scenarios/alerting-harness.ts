// Rules, alerts and deliveries over a real store, with time in the test's hands and channels that only keep what they got.
import { Registry } from 'prom-client'
import { Alerting } from '../../../gateway/alerting/alerting.ts'
import type { AlertingOptions } from '../../../gateway/alerting/alerting.ts'
import type { AlertingSettings, DeliverySettings } from '../../../gateway/alerting/settings.ts'
import type { Channel, Notice, Outcome } from '../../../gateway/delivery/notice.ts'
import type { Draft, Notification } from '../../../store/notification.ts'
import type { Store } from '../../../store/store.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { alertingSettings } from '../alerting-settings.ts'
import { ControlledClock } from '../controlled-clock.ts'
import { openStoreIn, silent } from '../harness.ts'

export interface AlertingHarnessOptions {
  file: string
  startAt?: number
  settings?: Partial<AlertingSettings>
  delivery?: Partial<DeliverySettings>
  /** What a channel answers; default: sent. */
  answer?: (notice: Notice, channel: string) => Promise<Outcome>
  /** URLs of handlers' modules. */
  moduleUrl?: (name: string) => string
}

/** Starts alerting; use with `await using`. */
export async function startAlerting(options: AlertingHarnessOptions): Promise<AlertingHarness> {
  const folder = await temporaryFolder()
  const clock = new ControlledClock(options.startAt)
  const store = await openStoreIn(folder.path, { now: clock.now })
  const harness = new AlertingHarness(options, { clock, store, folder })
  await harness.load()
  return harness
}

interface HarnessParts {
  clock: ControlledClock
  store: Store
  folder: AsyncDisposable & { path: string }
}

export class AlertingHarness {
  readonly clock: ControlledClock
  /** Notices that channels got, in order. */
  readonly notices: { channel: string; notice: Notice }[] = []
  /** The alerting file: change it, and reload. */
  file: string
  store: Store
  registry = new Registry()
  readonly #options: AlertingHarnessOptions
  readonly #folder: AsyncDisposable & { path: string }
  #alerting: Alerting | null = null

  constructor(options: AlertingHarnessOptions, { clock, store, folder }: HarnessParts) {
    this.#options = options
    this.file = options.file
    this.clock = clock
    this.store = store
    this.#folder = folder
  }

  get alerting(): Alerting {
    if (this.#alerting === null) throw new Error('alerting was not started')
    return this.#alerting
  }

  async load(): Promise<void> {
    this.registry = new Registry()
    this.#alerting = await Alerting.load(this.#alertingOptions())
  }

  #alertingOptions(): AlertingOptions {
    const { settings, delivery, answer = sent, moduleUrl = (name: string) => name } = this.#options
    return {
      store: this.store,
      settings: { ...alertingSettings, ...settings, delivery: { ...alertingSettings.delivery, ...delivery } },
      readSource: () => ({
        ok: true,
        source: { file: 'alerting.yaml', text: this.file, secret: async () => 'secret', moduleUrl }
      }),
      clock: this.clock,
      logger: silent,
      registry: this.registry,
      version: '1.2.3',
      random: () => 0.5,
      openChannel: async ({ name }): Promise<Channel> => ({
        name,
        type: 'webhook',
        target: 'nowhere',
        send: async notice => {
          this.notices.push({ channel: name, notice })
          return answer(notice, name)
        },
        close: () => {}
      })
    }
  }

  /** Appends, and waits until it and what came of it is judged and durable. */
  async append(...drafts: Draft[]): Promise<void> {
    for (const draft of drafts) this.store.log.append(draft, null)
    await this.settle()
  }

  /** Moves time on. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms, () => this.settle())
  }

  /** Waits until nothing more comes of what has happened. */
  async settle(): Promise<void> {
    let last = -1
    for (let still = 0; still < 3;) {
      await new Promise<void>(resolve => this.store.log.write([], () => resolve()))
      await this.alerting.caughtUp()
      const now = this.store.log.bounds().last
      still = now === last ? still + 1 : 0
      last = now
    }
  }

  /**
   * Ends as a crash would, without saving anything that is not saved, and starts again on what is durable. `abandon`:
   * attempts that are under way are not waited for.
   */
  async crash({ abandon = false } = {}): Promise<void> {
    const { log } = this.store
    // Whatever alerting does from here on stays undone.
    log.transact = () => {}
    log.append = () => {}
    log.write = () => {}
    const closed = this.alerting.dispatcher.close()
    if (!abandon) await closed
    await this.store.close()
    this.store = await openStoreIn(this.#folder.path, { now: this.clock.now })
    await this.load()
    await this.settle()
  }

  /** Time passes while nothing of ours runs: call it before `crash`. */
  downFor(ms: number): void {
    this.clock.jump(ms)
  }

  /** Ends properly and starts again. */
  async restart(): Promise<void> {
    await this.alerting.close()
    await this.store.close()
    this.store = await openStoreIn(this.#folder.path, { now: this.clock.now })
    await this.load()
    await this.settle()
  }

  async notifications(): Promise<Notification[]> {
    const { items } = await this.store.log.read(0, { limit: 100_000 })
    return items
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.alerting.close()
    await this.store.close()
    await this.#folder[Symbol.asyncDispose]()
  }
}

async function sent(): Promise<Outcome> {
  return { outcome: 'sent', detail: 'ok' }
}
