// Who a connection is. Made by the Authenticator, once per connection; other parts key their caches on the object.

/** An authenticated device. What it sends is attributed to `device`, whatever its payloads claim. */
export interface Identity {
  /** Id under which the log knows the device. */
  device: string
  /** User name it gave, or null; `%u` in access rules. */
  user: string | null
  /** Client id it gave; `%c` in access rules. */
  clientId: string
  /** Whether it was let in without a token. */
  anonymous: boolean
}
