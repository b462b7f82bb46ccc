// Operators over MQTT: whoever gives the token of one as password sees what devices publish, and alerts. No device.
import { isDeviceId, type Authentication, type Credentials } from './authenticate.ts'
import type { Tokens } from '../store/tokens.ts'

/** Knows operators by their tokens. Any role may see what there is to be seen. */
export class Operators {
  readonly #tokens: Tokens

  constructor(tokens: Tokens) {
    this.#tokens = tokens
  }

  /** Who comes with this token, whatever its user name; null if it is no operator's. */
  authenticate({ user, clientId, token }: Credentials): Authentication | null {
    const row = token === null ? undefined : this.#tokens.find(token)
    if (row === undefined) return null
    if (!isDeviceId(clientId)) {
      const message = 'the client id must be 1 to 256 bytes without control characters'
      return { ok: false, code: 'id-invalid', message }
    }
    return { ok: true, identity: { device: '', user, clientId, anonymous: false, operator: row.id } }
  }
}
