// The store's log with a gate in front: while it is held, appends and writes wait, as they do while a disk is slow.
import type { Draft } from '../../store/notification.ts'
import type { AppendOptions, Change, Log, LogTransaction, OnDurable, ReadOptions } from '../../store/store.ts'
import type { Random } from '../helpers/random.ts'

/** Passes everything on to a log; `hold` and `release` decide when what is written gets there. */
export class HeldLog implements Log {
  readonly #log: Log
  #waiting: (() => void)[] | null = null
  #room: (() => void)[] | null = null

  constructor(log: Log) {
    this.#log = log
  }

  /** Appends and writes that wait at the gate. */
  get held(): number {
    return this.#waiting?.length ?? 0
  }

  hold(): void {
    this.#waiting ??= []
  }

  release(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const pass of waiting) pass()
  }

  /** Says that the log is full until `empty`. */
  fill(): void {
    this.#room ??= []
  }

  empty(): void {
    const callbacks = this.#room ?? []
    this.#room = null
    for (const callback of callbacks) callback()
  }

  append(draft: Draft, onDurable: OnDurable | null, options?: AppendOptions): void {
    const pass = () => this.#log.append(draft, onDurable, options)
    if (this.#waiting === null) pass()
    else this.#waiting.push(pass)
  }

  full(): boolean {
    return this.#room !== null || this.#log.full()
  }

  whenRoom(callback: () => void): void {
    if (this.#room === null) this.#log.whenRoom(callback)
    else this.#room.push(callback)
  }

  write(changes: readonly Change[], onDurable: OnDurable | null): void {
    const pass = () => this.#log.write(changes, onDurable)
    if (this.#waiting === null) pass()
    else this.#waiting.push(pass)
  }

  transact(transaction: LogTransaction, onDurable: OnDurable | null): void {
    const pass = () => this.#log.transact(transaction, onDurable)
    if (this.#waiting === null) pass()
    else this.#waiting.push(pass)
  }

  bounds = () => this.#log.bounds()
  health = () => this.#log.health()
  waitingBytes = () => this.#log.waitingBytes()
  read = (after: number, options: ReadOptions) => this.#log.read(after, options)
  readBack = (before: number, options: ReadOptions) => this.#log.readBack(before, options)
  get = (seq: number) => this.#log.get(seq)
  getMany: Log['getMany'] = (...given) => this.#log.getMany(...given)
  seqBefore = (at: number) => this.#log.seqBefore(at)
  follow: Log['follow'] = (...given) => this.#log.follow(...given)
  streamCount = (device: string) => this.#log.streamCount(device)
  streamPosition = (device: string, stream: string) => this.#log.streamPosition(device, stream)
}

/** Holds a log and lets it go, each for a random while of at most `delayMsMax`, until it is disposed of. */
export function shake(log: HeldLog, random: Random, delayMsMax: number): Disposable {
  let timer: NodeJS.Timeout
  const hold = () => {
    log.hold()
    timer = setTimeout(release, random.below(delayMsMax + 1))
  }
  const release = () => {
    log.release()
    timer = setTimeout(hold, random.below(delayMsMax + 1))
  }
  hold()
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      log.release()
    }
  }
}
