// Registering devices and tokens: through the server of the data folder when it runs, else in the store itself.
import { existsSync } from 'node:fs'
import type { Config } from '../config/schema.ts'
import { StoreError } from '../store/errors.ts'
import type { Role } from '../store/store.ts'
import { adminTokenFile } from './admin-token.ts'
import { CliError } from './errors.ts'
import { ServerAdministration } from './server-administration.ts'
import { ask, operatorToken, problemText, serverUrl } from './server-client.ts'

/** A registered device, as it is listed. */
export interface ListedDevice {
  id: string
  /** ms since 1970 */
  createdAt: number
}

/** A token of an operator, as it is listed. */
export interface ListedToken {
  id: string
  role: Role
  name: string
  /** ms since 1970 */
  createdAt: number
}

/** What can be done with devices and tokens. What can't be done is a `CliError`. */
export interface Administration {
  /** The new device's token. */
  addDevice(id: string): Promise<string>
  /** The device's new token. */
  rotateDevice(id: string): Promise<string>
  removeDevice(id: string): Promise<void>
  listDevices(): Promise<ListedDevice[]>
  createToken(role: Role, name: string): Promise<{ id: string; token: string }>
  revokeToken(id: string): Promise<void>
  listTokens(): Promise<ListedToken[]>
  close(): Promise<void>
}

export interface AdministrationOptions {
  /** A server elsewhere: then the store is never opened. */
  url?: string
  /** A file with an admin token, in place of the data folder's. */
  tokenFile?: string
  /** Whether a data folder that is missing is made; otherwise that is an error. */
  mayMakeFolder?: boolean
}

/** Does the work on the server, or on the store where none runs. */
export async function administer<Result>(
  config: Config,
  options: AdministrationOptions,
  work: (administration: Administration) => Promise<Result>
): Promise<Result> {
  const administration = await openAdministration(config, options)
  try {
    return await work(administration)
  } finally {
    await administration.close()
  }
}

async function openAdministration(
  config: Config,
  { url, tokenFile, mayMakeFolder }: AdministrationOptions
): Promise<Administration> {
  const base = url ?? serverUrl(config)
  const token = await operatorToken(config, tokenFile)
  const where = tokenFile ?? adminTokenFile(config.store.dir)
  let reason = `there is no token in ${where}`
  if (token !== null) {
    const answer = await ask(`${base}/v1/tokens`, { token })
    if (answer.answered && answer.status === 200) return new ServerAdministration(base, token)
    if (!answer.answered) reason = `${base} does not answer: ${answer.reason}`
    else if (answer.status === 401) reason = `the server at ${base} does not know the token in ${where}`
    else reason = `the server at ${base} refused: ${problemText(answer)}`
  }
  if (url !== undefined) throw new CliError(reason)
  if (!existsSync(config.store.dir)) {
    if (!mayMakeFolder)
      throw new CliError(`there is no data folder ${config.store.dir}; --store.dir says where it is`)
    console.error(`The data folder ${config.store.dir} is made: it did not exist.`)
  }
  return openStore(config, reason)
}

/** Opens the store itself; `reason` is why not the server. */
async function openStore({ store: settings }: Config, reason: string): Promise<Administration> {
  // Loaded only here: a command that asks a server needs none of it.
  const [{ pino }, { Registry }, { openSqliteStore }, { StoreAdministration }] = await Promise.all([
    import('pino'),
    import('prom-client'),
    import('../store/sqlite/open-sqlite-store.ts'),
    import('./store-administration.ts')
  ])
  const { dir, ...limits } = settings
  try {
    const store = await openSqliteStore({
      dir,
      ...limits,
      now: Date.now,
      log: pino({ level: 'silent' }),
      registry: new Registry()
    })
    return new StoreAdministration(store, Date.now)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code !== 'store-locked') throw new CliError(error.message, 1, { cause: error })
    throw new CliError(
      `a process serves the data folder ${dir}, but it can't be asked: ${reason}. ` +
        'Call this command with the configuration of that server, or stop it first.'
    )
  }
}
