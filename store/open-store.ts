// Puts a store together over an engine that is open.
import type { Logger } from 'pino'
import type { Registry as Metrics } from 'prom-client'
import type { Engine, LogSize, LogState, Statement } from './engine.ts'
import { LogCounts, registerLogMetrics } from './log-metrics.ts'
import { StoreLog } from './log.ts'
import { Maintenance } from './maintenance.ts'
import { MemoryRegistry } from './registry.ts'
import { Statements } from './statements.ts'
import type { DeviceRow, OnDurable, Store, StoreOptions, TokenRow } from './store.ts'
import { StreamPositions } from './stream-positions.ts'
import { StoreTables } from './tables.ts'

export interface OpenStoreOptions extends StoreOptions {
  log: Logger
  registry: Metrics
  /** Called when the store broke in a way that must not be; the process should end. Without it the error is thrown. */
  onFatal?: (error: Error) => void
}

/** Loads what lives in memory and starts maintenance. */
export async function openStore(
  engine: Engine,
  { state, size }: { state: LogState; size: LogSize },
  options: OpenStoreOptions & { onFatal: (error: Error) => void }
): Promise<Store> {
  const { log: logger, registry, onFatal } = options
  const statements = new Statements(engine.queries)
  const streams = new StreamPositions()
  const tables = new StoreTables(engine)
  await tables.streams(steps => {
    for (const step of steps) streams.load(step, false)
  })
  await tables.unfoldedStreams(state.folded, blocks => {
    for (const block of blocks) streams.loadBlock(block)
  })
  const counts = new LogCounts(registry, size)
  const log = new StoreLog({
    engine,
    state,
    statements,
    streams,
    store: options,
    counts,
    log: logger,
    onFatal
  })
  registerLogMetrics(registry, counts, log)
  // Whoever changes a registry waits for the answer, so it must not take until a full disk has room again.
  const write = (changes: readonly Statement[], onDurable: OnDurable) =>
    log.writeStatements(changes, onDurable, true)
  const devices = new MemoryRegistry<DeviceRow>({
    rows: await tables.devices(),
    put: row => statements.putDevice(row),
    remove: id => statements.removeDevice(id),
    write
  })
  const tokens = new MemoryRegistry<TokenRow>({
    rows: await tables.tokens(),
    put: row => statements.putToken(row),
    remove: id => statements.removeToken(id),
    write
  })
  const maintenance = new Maintenance({
    engine,
    statements,
    streams,
    counts,
    store: options,
    log: logger,
    last: () => log.bounds().last,
    write: changes =>
      new Promise((resolve, reject) => {
        log.writeStatements(changes, error => (error ? reject(error) : resolve()), false)
      }),
    onSlice: slice => log.maintained(slice)
  })
  let closing: Promise<void> | null = null
  const close = async () => {
    const stopped = maintenance.stop()
    await log.close()
    await stopped
    await engine.close()
  }
  return { log, tables, devices, tokens, close: () => (closing ??= close()) }
}
