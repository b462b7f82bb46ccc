// Where devices are in their streams: what was taken, and what of it is durable. A named stream outlives its
// connection for as long as events of it wait for commit, so that the next connection begins where that one ended.
import type { StoreError } from '../../store/errors.ts'
import type { Log, OnDurable } from '../../store/store.ts'

/** Who is told how a stream's events fare. */
export interface StreamListener {
  /** More of what was taken is durable. May come many times in one turn of the event loop. */
  onCommitted(): void
  /** What was taken will not become durable. */
  onFailed(error: StoreError): void
}

/** Why a device can't go on in its stream. */
export interface StreamProblem {
  code: 'seq-gap' | 'window-exceeded'
  message: string
  /** The number that is the problem. */
  seq: number
}

/** One stream of one device. Sequence numbers are taken in order, without holes. */
export class EventStream {
  readonly name: string | null
  /** Given to the log with every event; the log calls it in order, so it needs no sequence number. */
  readonly onDurable: OnDurable = error => this.#onDurable(error)
  /** Highest sequence number taken. */
  taken: number
  /** Highest sequence number up to which everything is durable or was refused. */
  committed: number
  listener: StreamListener | null = null
  #onSettled: (stream: EventStream) => void
  /** Refused numbers that wait for the events before them, in order. */
  #refused: number[] = []

  constructor(name: string | null, position: number, onSettled: (stream: EventStream) => void) {
    this.name = name
    this.taken = position
    this.committed = position
    this.#onSettled = onSettled
  }

  /** Whether nothing that was taken waits for commit. */
  get settled(): boolean {
    return this.committed === this.taken
  }

  /** Why events numbered from `firstSeq` on can't be taken, or null. Numbers that were taken before are no problem. */
  check(firstSeq: number, count: number, windowEvents: number): StreamProblem | null {
    const next = this.taken + 1
    if (firstSeq > next) {
      return { code: 'seq-gap', message: `${next} comes next, not ${firstSeq}`, seq: firstSeq }
    }
    const lastSeq = firstSeq + count - 1
    if (lastSeq > this.committed + windowEvents) {
      return {
        code: 'window-exceeded',
        message: `at most ${windowEvents} events may be unacknowledged`,
        seq: lastSeq
      }
    }
    return null
  }

  /** Counts the number that was taken last as refused: it will not come back through `onDurable`. */
  refuse(): void {
    this.#refused.push(this.taken)
    this.#passRefused()
  }

  #onDurable(error: StoreError | null): void {
    if (error !== null) {
      this.listener?.onFailed(error)
      return
    }
    this.committed++
    if (this.#refused.length > 0) this.#passRefused()
    this.listener?.onCommitted()
    if (this.committed === this.taken) this.#onSettled(this)
  }

  #passRefused(): void {
    let passed = 0
    while (this.#refused[passed] === this.committed + 1) {
      this.committed++
      passed++
    }
    if (passed > 0) this.#refused.splice(0, passed)
  }
}

/** The streams that have a connection or wait for commits. */
export class EventStreams {
  #log: Log
  #streamsMax: number
  #named = new Map<string, EventStream>()

  constructor(log: Log, { streamsMax }: { streamsMax: number }) {
    this.#log = log
    this.#streamsMax = streamsMax
  }

  /** Whether the device has that stream, or may have another. */
  mayOpen(device: string, name: string | null): boolean {
    if (name === null || this.#log.streamPosition(device, name) > 0) return true
    return this.#log.streamCount(device) < this.#streamsMax
  }

  /** The device's stream of that name, or a new one that begins at 0 when it has none. */
  open(device: string, name: string | null): EventStream {
    if (name === null) return new EventStream(null, 0, () => {})
    const key = `${device}\0${name}` // ids hold no control characters
    let stream = this.#named.get(key)
    if (stream === undefined) {
      stream = new EventStream(name, this.#log.streamPosition(device, name), settled => {
        if (settled.listener === null) this.#named.delete(key)
      })
      this.#named.set(key, stream)
    }
    return stream
  }

  /** Ends a connection's use of a stream. */
  close(device: string, stream: EventStream): void {
    stream.listener = null
    if (stream.name !== null && stream.settled) this.#named.delete(`${device}\0${stream.name}`)
  }
}
