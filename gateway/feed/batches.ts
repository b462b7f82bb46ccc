// Batches of notifications as the bytes to write to a connection, in each form of the feed. Pure.
import { formatCursor } from '../../store/cursor.ts'
import { JsonWriter } from './json-writer.ts'
import type { Entry, Format } from './messages.ts'
import { pack } from './payload.ts'
import { binaryFrame, textFrame } from './web-socket-frame.ts'

export interface BatchOptions {
  epoch: string
  /** The subscription's id; unused by `sse`. */
  id: string
  /** Everything up to here was sent or filtered out. */
  through: number
}

/** A batch that is being written. There is one at a time, which is begun and ended in the same turn of the event loop. */
export interface OpenBatch {
  /** Bytes so far. */
  readonly bytes: number
  add(entry: Entry): void
  /** The batch: a whole WebSocket frame, or events. What is added next begins another. */
  end(through: number): Buffer
}

/** Begins a batch of the subscription `id`. */
export function openBatch(format: Format, { epoch, id }: Pick<BatchOptions, 'epoch' | 'id'>): OpenBatch {
  switch (format) {
    case 'json':
      return new JsonBatch(epoch, id)
    case 'msgpack':
      return new MessagePackBatch(epoch, id)
    case 'sse':
      return new EventsBatch(epoch)
  }
}

/** A batch of these notifications. */
export function encodeBatch(format: Format, entries: readonly Entry[], options: BatchOptions): Buffer {
  const batch = openBatch(format, options)
  for (const entry of entries) batch.add(entry)
  return batch.end(options.through)
}

/**
 * Tells a quiet subscriber how far it has come, so that it resumes from there and not from a place that retention may
 * have passed: a batch without items, or an event without data, which moves `Last-Event-ID` and fires nothing.
 */
export function encodeProgress(format: Format, options: BatchOptions): Buffer {
  if (format !== 'sse') return encodeBatch(format, [], options)
  return Buffer.from(`: heartbeat\nid: ${formatCursor(options.epoch, options.through)}\n\n`)
}

// One buffer for all batches: there is one at a time, and memory that is new for each costs more than writing into it.
const writer = new JsonWriter()
const COMMA = Buffer.from(',')
const END_OF_EVENT = Buffer.from('\n\n')

class JsonBatch implements OpenBatch {
  readonly #epoch: string
  readonly #head: Buffer
  #isEmpty = true

  constructor(epoch: string, id: string) {
    this.#epoch = epoch
    this.#head = Buffer.from(`{"type":"notifications","id":${JSON.stringify(id)},"items":[`)
    writer.clear()
  }

  get bytes(): number {
    return writer.length
  }

  add(entry: Entry): void {
    if (!this.#isEmpty) writer.raw(COMMA)
    this.#isEmpty = false
    entry.writeJson(writer, this.#epoch)
  }

  end(through: number): Buffer {
    const tail = Buffer.from(`],"cursor":"${formatCursor(this.#epoch, through)}"}`)
    const frame = textFrame([this.#head, writer.since(0), tail])
    writer.clear()
    this.#isEmpty = true
    return frame
  }
}

class EventsBatch implements OpenBatch {
  readonly #epoch: string

  constructor(epoch: string) {
    this.#epoch = epoch
    writer.clear()
  }

  get bytes(): number {
    return writer.length
  }

  add(entry: Entry): void {
    const cursor = formatCursor(this.#epoch, entry.notification.seq)
    writer.json(`id: ${cursor}\nevent: notification\ndata: `)
    entry.writeJson(writer, this.#epoch)
    writer.raw(END_OF_EVENT)
  }

  end(): Buffer {
    const events = Buffer.from(writer.since(0))
    writer.clear()
    return events
  }
}

const HEAD = Buffer.from('\x84\xa4type\xadnotifications\xa2id', 'latin1')
const ITEMS_KEY = Buffer.from('\xa5items', 'latin1')
const CURSOR_KEY = Buffer.from('\xa6cursor', 'latin1')

class MessagePackBatch implements OpenBatch {
  readonly #epoch: string
  readonly #id: string
  #items: Buffer[] = []
  #bytes = 0

  constructor(epoch: string, id: string) {
    this.#epoch = epoch
    this.#id = id
  }

  get bytes(): number {
    return this.#bytes
  }

  add(entry: Entry): void {
    const item = entry.msgpack(this.#epoch)
    this.#items.push(item)
    this.#bytes += item.length
  }

  end(through: number): Buffer {
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    const head = [HEAD, pack(this.#id), ITEMS_KEY, arrayHeader(items.length)]
    return binaryFrame([...head, ...items, CURSOR_KEY, pack(formatCursor(this.#epoch, through))])
  }
}

function arrayHeader(count: number): Buffer {
  if (count < 16) return Buffer.of(0x90 | count)
  const header = Buffer.alloc(5, 0xdd)
  header.writeUInt32BE(count, 1)
  return header
}
