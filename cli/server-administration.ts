// Devices and tokens changed through a running server's HTTP interface.
import type { Role } from '../store/store.ts'
import type { Administration, ListedDevice, ListedToken } from './administration.ts'
import { CliError } from './errors.ts'
import { ask, problemText } from './server-client.ts'

/** The administration of a server. What it answers is trusted to be as its OpenAPI says. */
export class ServerAdministration implements Administration {
  #base: string
  #token: string

  constructor(base: string, token: string) {
    this.#base = base
    this.#token = token
  }

  async addDevice(id: string): Promise<string> {
    const { token } = (await this.#call('POST', '/v1/devices', { id })) as { token: string }
    return token
  }

  async rotateDevice(id: string): Promise<string> {
    const path = `/v1/devices/${encodeURIComponent(id)}/rotate`
    const { token } = (await this.#call('POST', path)) as { token: string }
    return token
  }

  async removeDevice(id: string): Promise<void> {
    await this.#call('DELETE', `/v1/devices/${encodeURIComponent(id)}`)
  }

  async listDevices(): Promise<ListedDevice[]> {
    const devices: ListedDevice[] = []
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`
      const page = (await this.#call('GET', `/v1/devices${query}`)) as DevicePage
      for (const { id, createdAt } of page.items)
        if (createdAt !== null) devices.push({ id, createdAt: Date.parse(createdAt) })
      cursor = page.cursor
    } while (cursor !== null)
    return devices
  }

  async createToken(role: Role, name: string): Promise<{ id: string; token: string }> {
    return (await this.#call('POST', '/v1/tokens', { role, name })) as { id: string; token: string }
  }

  async revokeToken(id: string): Promise<void> {
    await this.#call('DELETE', `/v1/tokens/${encodeURIComponent(id)}`)
  }

  async listTokens(): Promise<ListedToken[]> {
    const { items } = (await this.#call('GET', '/v1/tokens')) as { items: ServerToken[] }
    return items.map(({ id, role, name, createdAt }) => ({
      id,
      role,
      name,
      createdAt: Date.parse(createdAt)
    }))
  }

  async close(): Promise<void> {}

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await ask(this.#base + path, { method, token: this.#token, body })
    if (!answer.answered) throw new CliError(`${this.#base} does not answer: ${answer.reason}`)
    if (answer.status >= 300) throw new CliError(`the server refused: ${problemText(answer)}`)
    return answer.body
  }
}

interface DevicePage {
  /** `createdAt` (RFC 3339) is null for devices that were seen and are not registered. */
  items: { id: string; createdAt: string | null }[]
  cursor: string | null
}

interface ServerToken {
  id: string
  role: Role
  name: string
  /** RFC 3339 */
  createdAt: string
}
