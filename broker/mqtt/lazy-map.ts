// A map that takes hardly any memory until something is put into it. A session has several that mostly stay empty, and
// there are thousands of sessions.

const none: ReadonlyMap<never, never> = new Map<never, never>()

/** As much of Map as sessions need. */
export class LazyMap<Key, Value> {
  #map: Map<Key, Value> | null = null

  get size(): number {
    return this.#map?.size ?? 0
  }

  get(key: Key): Value | undefined {
    return this.#map?.get(key)
  }

  has(key: Key): boolean {
    return this.#map?.has(key) ?? false
  }

  set(key: Key, value: Value): void {
    this.#map ??= new Map()
    this.#map.set(key, value)
  }

  /** Whether it was there. */
  delete(key: Key): boolean {
    return this.#map?.delete(key) ?? false
  }

  keys(): Iterable<Key> {
    return (this.#map ?? none).keys()
  }

  values(): Iterable<Value> {
    return (this.#map ?? none).values()
  }

  [Symbol.iterator](): Iterator<[Key, Value]> {
    return (this.#map ?? none)[Symbol.iterator]()
  }
}
