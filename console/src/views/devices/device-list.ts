// The beginning of a long list of devices, as far as it was read in pages, and where each part of it can be read anew.
// Pure.
import type { Device, DevicePage } from '../../api/shapes.ts'

/** A place in the list where a page can begin. */
export interface PageStart {
  /** The id after which it begins; empty: with the first. */
  after: string
  /** What the server wants to hear for it; undefined: with the first. */
  cursor: string | undefined
}

const first: PageStart = { after: '', cursor: undefined }

/** Devices are in the server's order: by the UTF-16 units of their ids, as `<` has it. */
export class DeviceList {
  #devices: readonly Device[] = []
  /** By `after`; each is where a page ended. */
  #starts: PageStart[] = [first]
  #next: PageStart | null = first
  #indexes: Map<string, number> | null = null

  get length(): number {
    return this.#devices.length
  }

  /** Where what is not read yet begins; null: all is. */
  get next(): PageStart | null {
    return this.#next
  }

  at(index: number): Device | undefined {
    return this.#devices[index]
  }

  /** Index of the device with this id; -1: it is not there. */
  indexOf(id: string): number {
    this.#indexes ??= new Map(this.#devices.map((device, index) => [device.id, index]))
    return this.#indexes.get(id) ?? -1
  }

  /** The last place before the device at an index where a page can begin. */
  startFor(index: number): PageStart {
    const id = this.#devices[index]?.id ?? ''
    return this.#starts.findLast(({ after }) => after < id) ?? first
  }

  /**
   * Puts a page in its place: it is all that the list has between its beginning and its last device (the list's end,
   * after which there is no more). What was there and is not in the page is gone.
   */
  put({ after }: PageStart, { items, cursor }: DevicePage): void {
    const last = cursor === null ? null : items.at(-1)?.id
    if (last === undefined) return // an empty page that is not the end says nothing
    const isBefore = ({ id }: { id: string }) => id <= after
    const isBehind = ({ id }: { id: string }) => last !== null && id > last
    const before = after === '' ? [] : this.#devices.filter(isBefore)
    const behind = this.#devices.filter(isBehind)
    this.#devices = [...before, ...items, ...behind]
    this.#indexes = null
    const end: PageStart[] = last === null || cursor === null ? [] : [{ after: last, cursor }]
    this.#starts = [
      ...this.#starts.filter(start => start.after <= after),
      ...end,
      ...this.#starts.filter(start => last !== null && start.after > last)
    ]
    if (behind.length === 0) this.#next = end[0] ?? null
  }
}
