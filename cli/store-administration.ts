// Devices and tokens changed in the store itself, while no server runs.
import { isDeviceId } from '../broker/authenticate.ts'
import { hashToken, newToken } from '../store/credentials.ts'
import type { Role, Store } from '../store/store.ts'
import { newTokenId } from './admin-token.ts'
import type { Administration, ListedDevice, ListedToken } from './administration.ts'
import { CliError } from './errors.ts'

/** The administration of an open store. */
export class StoreAdministration implements Administration {
  #store: Store
  #now: () => number

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  addDevice(id: string): Promise<string> {
    if (!isDeviceId(id))
      throw new CliError('a device id is 1 to 256 bytes of text without control characters', 2)
    if (this.#store.devices.get(id) !== undefined) throw new CliError(`device ${id} is registered already`)
    return this.#putDevice(id, this.#now())
  }

  rotateDevice(id: string): Promise<string> {
    const row = this.#store.devices.get(id)
    if (row === undefined) throw unknownDevice(id)
    return this.#putDevice(id, row.createdAt)
  }

  async removeDevice(id: string): Promise<void> {
    if (!(await this.#store.devices.remove(id))) throw unknownDevice(id)
  }

  async listDevices(): Promise<ListedDevice[]> {
    return this.#store.devices.list().map(({ id, createdAt }) => ({ id, createdAt }))
  }

  async createToken(role: Role, name: string): Promise<{ id: string; token: string }> {
    const token = newToken()
    const id = newTokenId()
    await this.#store.tokens.put({ id, hash: hashToken(token), role, name, createdAt: this.#now() })
    return { id, token }
  }

  async revokeToken(id: string): Promise<void> {
    if (!(await this.#store.tokens.remove(id))) throw new CliError(`there is no token ${id}`)
  }

  async listTokens(): Promise<ListedToken[]> {
    return this.#store.tokens.list().map(({ id, role, name, createdAt }) => ({ id, role, name, createdAt }))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #putDevice(id: string, createdAt: number): Promise<string> {
    const token = newToken()
    await this.#store.devices.put({ id, tokenHash: hashToken(token), createdAt })
    return token
  }
}

function unknownDevice(id: string): CliError {
  return new CliError(`there is no registered device ${id}`)
}
