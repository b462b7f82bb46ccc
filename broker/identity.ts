// Who a connection is. Made by the Authenticator, once per connection; other parts key their caches on the object.

/** An authenticated device, or an operator. What a device sends is attributed to it, whatever its payloads claim. */
export interface Identity {
  /** Id under which the log knows the device; empty for an operator, of whom the log knows nothing. */
  device: string
  /** User name it gave, or null; `%u` in access rules. */
  user: string | null
  /** Client id it gave; `%c` in access rules. */
  clientId: string
  /** Whether it was let in without a token. */
  anonymous: boolean
  /** Id of the token of the operator that it is; absent: it is a device. */
  operator?: string
}

/** Whose sessions and connects those of the identity are. No device's id begins like an operator's. */
export function ownerOf({ device, operator }: Identity): string {
  return operator === undefined ? device : `\0${operator}`
}
