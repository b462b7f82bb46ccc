// What aedes takes for a client's socket. aedes is handed packets, not bytes, and the CONNACK it works out is encoded by
// us; so nothing is read or written here, and a connection has none of the listeners and streams that aedes would put
// around a socket of its own.

/** Stands between aedes and one connection. */
export class AedesSocket {
  readonly #owner: { dropped(): void } | null

  /** `owner`: to be told that aedes wants the connection to end. */
  constructor(owner: { dropped(): void } | null) {
    this.#owner = owner
  }

  on(): this {
    return this
  }

  once(): this {
    return this
  }

  removeListener(): this {
    return this
  }

  removeAllListeners(): this {
    return this
  }

  setMaxListeners(): this {
    return this
  }

  emit(): boolean {
    return false
  }

  write(): boolean {
    return true
  }

  destroy(): this {
    this.#owner?.dropped()
    return this
  }
}
