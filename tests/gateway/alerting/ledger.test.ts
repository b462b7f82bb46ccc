// What parts decide and change reaches the log together, over a real store.
import { describe, expect, test } from '@jest/globals'
import { Ledger } from '../../../gateway/alerting/ledger.ts'
import type { StateRow, Store } from '../../../store/store.ts'
import type { Batch } from '../../../store/store.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { ControlledClock } from '../controlled-clock.ts'
import { event, openStoreIn } from '../harness.ts'

const SAVE_MS = 5000

/** Keeps one number and saves it when it has changed. */
class Counting {
  value = 0
  saves = 0
  #dirty = false
  readonly #key: string

  constructor(key: string, ledger: Ledger) {
    this.#key = key
    ledger.join({
      save: transaction => {
        if (!this.#dirty) return
        this.#dirty = false
        this.saves++
        const row = { scope: 'test', key: this.#key, value: Uint8Array.of(this.value) }
        transaction.write({ put: 'state', row })
      }
    })
  }

  count(): void {
    this.value++
    this.#dirty = true
  }
}

async function startLedger() {
  const folder = await temporaryFolder()
  const clock = new ControlledClock()
  const store = await openStoreIn(folder.path)
  const ledger = new Ledger({ log: store.log, clock, saveMs: SAVE_MS })
  return {
    store,
    clock,
    ledger,
    async [Symbol.asyncDispose]() {
      await store.close()
      await folder[Symbol.asyncDispose]()
    }
  }
}

async function saved(store: Store): Promise<Record<string, number | undefined>> {
  const rows: StateRow[] = []
  await store.tables.state('test', page => void rows.push(...page))
  return Object.fromEntries(rows.map(({ key, value }) => [key, value[0]]))
}

describe('the ledger', () => {
  test('commits what is decided in one turn as one, with everything that is unsaved anywhere', async () => {
    await using place = await startLedger()
    const { ledger, store } = place
    const [one, other] = [new Counting('one', ledger), new Counting('other', ledger)]
    const batches: Batch[] = []
    store.log.follow(0, batch => void batches.push(batch))
    other.count()
    ledger.touch()
    one.count()
    ledger.append(event())
    ledger.append(event())
    expect(store.log.bounds().last).toBe(0)
    await ledger.durable()
    expect(batches.map(({ items }) => items.length)).toEqual([2])
    expect(await saved(store)).toEqual({ one: 1, other: 1 })
  })

  test('saves what nobody need be told of after a while, once', async () => {
    await using place = await startLedger()
    const { clock, ledger, store } = place
    const part = new Counting('part', ledger)
    for (let index = 0; index < 3; index++) {
      part.count()
      ledger.touch()
    }
    expect(clock.timers).toBe(1)
    await clock.advance(SAVE_MS - 1)
    expect(part.saves).toBe(0)
    await clock.advance(1)
    expect(part.saves).toBe(1)
    await ledger.durable()
    expect(await saved(store)).toEqual({ part: 3 })
  })

  test('needs no timer for what goes with another commit', async () => {
    await using place = await startLedger()
    const { clock, ledger, store } = place
    const part = new Counting('part', ledger)
    part.count()
    ledger.touch()
    ledger.write({ put: 'checkpoint', name: 'test', seq: 9 })
    await ledger.durable()
    expect(clock.timers).toBe(0)
    expect(await saved(store)).toEqual({ part: 1 })
    expect(await store.tables.checkpoint('test')).toBe(9)
  })

  test('is durable without delay when there is nothing to save', async () => {
    await using place = await startLedger()
    await expect(place.ledger.durable()).resolves.toBeUndefined()
    expect(place.store.log.bounds().last).toBe(0)
  })

  test('calls back when what was decided before is durable, in the order of the calls', async () => {
    await using place = await startLedger()
    const { ledger, store } = place
    const seen: [string, number][] = []
    ledger.append(event())
    ledger.whenDurable(() => seen.push(['first', store.log.bounds().last]))
    ledger.whenDurable(() => seen.push(['second', store.log.bounds().last]))
    expect(seen).toEqual([])
    await ledger.durable()
    expect(seen).toEqual([
      ['first', 1],
      ['second', 1]
    ])
  })

  test('of a log that is closed, says so to who waits, and calls nobody back', async () => {
    await using place = await startLedger()
    const { ledger, store } = place
    await store.close()
    let called = false
    ledger.append(event())
    ledger.whenDurable(() => (called = true))
    await expect(ledger.durable()).rejects.toThrow(/clos/)
    expect(called).toBe(false)
  })
})
