// Streams of bytes that began as valid packets, and how fast-check makes them up.
import fc from 'fast-check'
import { record } from './record.ts'
import {
  encodeAcknowledgement,
  encodeConnect,
  encodePublish,
  encodeSubscribe,
  encodeUnsubscribe,
  PINGREQ
} from './encode.ts'
import { publishes, subscribes, unsubscribes, type PublishMove, type SubscribeMove } from './moves.ts'

/** A change to bytes. `at` is a place in thousandths of their length. */
export type Mutation =
  | { kind: 'flip'; at: number; bit: number }
  | { kind: 'set'; at: number; value: number }
  | { kind: 'insert'; at: number; bytes: Uint8Array }
  | { kind: 'remove'; at: number; count: number }
  | { kind: 'repeat'; at: number; count: number }
  | { kind: 'cut'; at: number }

type Part =
  | PublishMove
  | SubscribeMove
  | { move: 'unsubscribe'; filters: string[]; packetId: number }
  | { move: 'acknowledgement'; header: number; packetId: number }
  | { move: 'ping' }

export interface StreamCase {
  version: 3 | 4 | 5
  clean: boolean
  lasting: boolean
  will: { qos: 0 | 1 | 2; retain: boolean } | null
  parts: Part[]
  mutations: Mutation[]
  /** Whether CONNECT may be changed, too. */
  mayMutateConnect: boolean
  /** Where it is cut into chunks, in thousandths of its length. */
  borders: number[]
  reset: boolean
}

/** A stream, ready to be sent. */
export interface Stream {
  bytes: Buffer
  /** QoS 1 and 2 messages that no mutation has reached, by packet id. */
  intact: Map<number, string>
}

const place = fc.nat({ max: 999 })
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: record({ kind: fc.constant('flip'), at: place, bit: fc.nat({ max: 7 }) }) },
  {
    weight: 3,
    arbitrary: record({
      kind: fc.constant('set'),
      at: place,
      value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 }))
    })
  },
  {
    weight: 2,
    arbitrary: record({
      kind: fc.constant('insert'),
      at: place,
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 })
    })
  },
  {
    weight: 2,
    arbitrary: record({ kind: fc.constant('remove'), at: place, count: fc.integer({ min: 1, max: 9 }) })
  },
  {
    weight: 1,
    arbitrary: record({ kind: fc.constant('repeat'), at: place, count: fc.integer({ min: 1, max: 99 }) })
  },
  { weight: 1, arbitrary: record({ kind: fc.constant('cut'), at: place }) }
)

const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 6, arbitrary: publishes },
  { weight: 2, arbitrary: subscribes },
  { weight: 1, arbitrary: unsubscribes },
  {
    weight: 1,
    arbitrary: record({
      move: fc.constant('acknowledgement'),
      header: fc.constantFrom(0x40, 0x50, 0x62, 0x70),
      packetId: fc.integer({ min: 1, max: 20 })
    })
  },
  { weight: 1, arbitrary: record({ move: fc.constant('ping') }) }
)

export const streams: fc.Arbitrary<StreamCase> = record({
  version: fc.constantFrom<3 | 4 | 5>(4, 5, 3),
  clean: fc.boolean(),
  lasting: fc.boolean(),
  will: fc.option(record({ qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2), retain: fc.constant(false) }), {
    freq: 3
  }),
  parts: fc.array(part, { minLength: 1, maxLength: 20, size: 'max' }),
  mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
  mayMutateConnect: fc.nat({ max: 4 }).map(value => value === 4),
  borders: fc.array(place, { maxLength: 4 }),
  reset: fc.boolean()
})

/** Puts a stream together. Packet ids are the places of the packets, so that each is used once. */
export function streamOf(
  { version, parts, mutations, mayMutateConnect, ...rest }: StreamCase,
  clientId: string
): Stream {
  const connect = encodeConnect(
    { version, receiveMaximum: null, ...rest },
    { clientId, willPayload: 'a will' }
  )
  const packets = [connect, ...parts.map((each, index) => encodePart(version, each, index + 1))]
  const whole = Buffer.concat(packets)
  const first = mayMutateConnect ? 0 : connect.length
  let touched = whole.length
  let bytes: Buffer = whole
  for (const each of mutations) {
    const at = first + Math.floor((each.at / 1000) * (bytes.length - first))
    touched = Math.min(touched, at)
    bytes = mutate(bytes, each, at)
  }
  const intact = new Map<number, string>()
  let end = connect.length
  for (const [index, each] of parts.entries()) {
    end += packets[index + 1]?.length ?? 0
    if (end > touched) break
    if (each.move === 'publish' && each.qos > 0) intact.set(index + 1, payloadOf(index + 1))
  }
  return { bytes, intact }
}

function encodePart(version: 3 | 4 | 5, part: Part, packetId: number): Buffer {
  switch (part.move) {
    case 'publish': {
      const content = { payload: payloadOf(packetId), dup: false, alias: null }
      return encodePublish(version, { ...part, packetId, retain: false }, content)
    }
    case 'subscribe':
      return encodeSubscribe(version, { ...part, packetId })
    case 'unsubscribe':
      return encodeUnsubscribe(version, part.filters, packetId)
    case 'acknowledgement':
      return encodeAcknowledgement(part.header, part.packetId)
    case 'ping':
      return PINGREQ
  }
}

function payloadOf(packetId: number): string {
  return `message ${packetId}`
}

function mutate(bytes: Buffer, mutation: Mutation, at: number): Buffer {
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (mutation.kind) {
    case 'flip':
      return Buffer.concat([
        head,
        tail.subarray(0, 1).map(byte => byte ^ (1 << mutation.bit)),
        tail.subarray(1)
      ])
    case 'set':
      return Buffer.concat([head, tail.subarray(0, 1).map(() => mutation.value), tail.subarray(1)])
    case 'insert':
      return Buffer.concat([head, mutation.bytes, tail])
    case 'remove':
      return Buffer.concat([head, tail.subarray(mutation.count)])
    case 'repeat':
      return Buffer.concat([head, tail.subarray(0, mutation.count), tail])
    case 'cut':
      return Buffer.from(head)
  }
}
