// Decides who a connecting device is, by id and token, in microseconds.
import { timingSafeEqual } from 'node:crypto'
import { hashToken } from '../store/credentials.ts'
import type { DeviceRow, Registry } from '../store/store.ts'
import type { Identity } from './identity.ts'

/** What a device presents when it connects. Over raw TCP, `user` and `clientId` are both the hello's `device`. */
export interface Credentials {
  user: string | null
  clientId: string
  token: Uint8Array | string | null
}

export interface AuthenticationRefusal {
  ok: false
  code: 'bad-credentials' | 'not-authorized' | 'id-invalid'
  message: string
}

export type Authentication = { ok: true; identity: Identity } | AuthenticationRefusal

export interface AuthenticatorOptions {
  /** Registered devices. */
  devices: Registry<DeviceRow>
  /** Whether a device that is not registered is let in under the id it gives. */
  anonymous: boolean
}

const ID_BYTES_MAX = 256
const CONTROL_CHARACTER = /[\p{Cc}\p{Surrogate}]/u

/** Whether the text can be the id of a device: 1 to 256 bytes of UTF-8 without control characters. */
export function isDeviceId(id: string): boolean {
  return (
    id.length > 0 &&
    id.length <= ID_BYTES_MAX &&
    Buffer.byteLength(id) <= ID_BYTES_MAX &&
    !CONTROL_CHARACTER.test(id)
  )
}

/** Knows the registered devices and whether others may come in. */
export class Authenticator {
  #devices: Registry<DeviceRow>
  #anonymous: boolean

  constructor({ devices, anonymous }: AuthenticatorOptions) {
    this.#devices = devices
    this.#anonymous = anonymous
  }

  /**
   * A user name that names a registered device must come with its token. Anybody else is refused, or, where anonymous
   * devices are welcome, is a device by its client id, whatever user name and token it gave.
   */
  authenticate({ user, clientId, token }: Credentials): Authentication {
    if (!isDeviceId(clientId)) {
      return refuse('id-invalid', 'the id must be 1 to 256 bytes without control characters')
    }
    const row = user === null ? undefined : this.#devices.get(user)
    if (row !== undefined) {
      if (token === null || !tokenIsRight(row, token)) {
        return refuse('bad-credentials', 'the token of this device is missing or wrong')
      }
      return { ok: true, identity: { device: row.id, user, clientId, anonymous: false } }
    }
    if (!this.#anonymous) {
      return user === null && token === null
        ? refuse('not-authorized', 'devices need an id and a token here')
        : refuse('bad-credentials', 'no device of this id has this token')
    }
    // Otherwise anybody could speak for a registered device by leaving out its token.
    if (this.#devices.get(clientId) !== undefined) {
      return refuse('bad-credentials', 'a device of this id is registered, so its token is needed')
    }
    return { ok: true, identity: { device: clientId, user, clientId, anonymous: true } }
  }
}

function tokenIsRight(row: DeviceRow, token: Uint8Array | string): boolean {
  const given = hashToken(token)
  return given.length === row.tokenHash.length && timingSafeEqual(given, row.tokenHash)
}

function refuse(code: AuthenticationRefusal['code'], message: string): AuthenticationRefusal {
  return { ok: false, code, message }
}
