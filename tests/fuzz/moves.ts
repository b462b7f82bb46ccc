// What clients do in a fuzzing scenario, and how fast-check makes scenarios up. A move on a slot without a connection that
// could make it is passed over, so that any part of a scenario is one: that is what shrinking leaves.
import fc from 'fast-check'
import { record } from './record.ts'
import { flaws } from './flaws.ts'

export type Move =
  | ConnectMove
  | PublishMove
  | SubscribeMove
  | { move: 'unsubscribe'; slot: number; filters: string[]; packetId: number }
  | { move: 'acknowledge'; slot: number; which: number }
  | { move: 'acknowledge what is not there'; slot: number; kind: number; packetId: number }
  | { move: 'release'; slot: number; packetId: number }
  | { move: 'ping'; slot: number }
  | { move: 'goodbye'; slot: number; withWill: boolean; hasty: boolean }
  | { move: 'leave'; slot: number; reset: boolean }
  | { move: 'flaw'; slot: number; what: string }
  | { move: 'connect again'; slot: number }
  | { move: 'garbage'; slot: number; bytes: Uint8Array }
  | { move: 'half a publish'; slot: number; size: number }
  | { move: 'settle' }

export interface ConnectMove {
  move: 'connect'
  slot: number
  version: 3 | 4 | 5
  /** Which of a few client ids, so that clients meet. */
  id: number
  clean: boolean
  /** MQTT 5: whether the session outlives the connection. */
  lasting: boolean
  receiveMaximum: number | null
  will: { qos: 0 | 1 | 2; retain: boolean } | null
  /** Does not wait for CONNACK. */
  hasty: boolean
}

export interface PublishMove {
  move: 'publish'
  slot: number
  topic: string
  qos: 0 | 1 | 2
  packetId: number
  retain: boolean
  /** Bytes of padding. */
  size: number
  /** MQTT 5: an alias in place of the topic, set up the first time. */
  alias: number | null
  /** Sends the last one with this packet id again, with DUP. */
  again: boolean
}

export interface SubscribeMove {
  move: 'subscribe'
  slot: number
  requests: {
    filter: string
    qos: 0 | 1 | 2
    noLocal: boolean
    retainAsPublished: boolean
    retainHandling: 0 | 1 | 2
  }[]
  identifier: number | null
  packetId: number
}

export const SLOTS = 3
export const CLIENT_IDS = 2
const slot = fc.nat({ max: SLOTS - 1 })
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2)
const packetId = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
  fc.constantFrom(255, 256, 65_535)
)
const topics = [
  'a',
  'a/b',
  'a/b/c',
  '/',
  'a/é',
  '__proto__',
  'constructor/prototype',
  'x'.repeat(300)
] as const
const own = [...topics, '#', '+', 'a/#', 'a/+', '+/b', '+/+/#', '/+', '__proto__/#'] as const
const filters = [...own, '$share/g/#', '$share/g/a/#', '$share/__proto__/+', '$share/h/#'] as const
const rarely = (of: number) => fc.nat({ max: of - 1 }).map(value => value === 0)

const connect = record<ConnectMove>({
  move: fc.constant('connect'),
  slot,
  version: fc.constantFrom<3 | 4 | 5>(4, 5, 3),
  id: fc.nat({ max: CLIENT_IDS - 1 }),
  clean: fc.boolean(),
  lasting: fc.boolean(),
  receiveMaximum: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 3 }),
  will: fc.option(record({ qos, retain: fc.boolean() }), { freq: 2 }),
  hasty: rarely(4)
})

export const publishes = record<PublishMove>({
  move: fc.constant('publish'),
  slot,
  topic: fc.constantFrom(...topics),
  qos,
  packetId,
  retain: rarely(6),
  size: fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 40 }) }, fc.constantFrom(127, 16_383, 70_000)),
  alias: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 5 }),
  again: rarely(5)
})

export const subscribes = record<SubscribeMove>({
  move: fc.constant('subscribe'),
  slot,
  requests: fc.array(
    record({
      filter: fc.constantFrom(...filters),
      qos,
      noLocal: rarely(4),
      retainAsPublished: rarely(3),
      retainHandling: fc.constantFrom<0 | 1 | 2>(0, 1, 2)
    }),
    { minLength: 1, maxLength: 4 }
  ),
  identifier: fc.option(fc.integer({ min: 1, max: 268_435_455 }), { freq: 2 }),
  packetId
})

export const unsubscribes = record({
  move: fc.constant('unsubscribe'),
  slot,
  filters: fc.array(fc.constantFrom<string>(...filters), { minLength: 1, maxLength: 3 }),
  packetId
})

const small: fc.Arbitrary<Move>[] = [
  unsubscribes,
  record({ move: fc.constant('release'), slot, packetId }),
  record({ move: fc.constant('ping'), slot }),
  record({ move: fc.constant('leave'), slot, reset: fc.boolean() }),
  record({ move: fc.constant('goodbye'), slot, withWill: rarely(3), hasty: rarely(4) }),
  record({
    move: fc.constant('acknowledge what is not there'),
    slot,
    kind: fc.constantFrom(0x40, 0x50, 0x70),
    packetId: fc.constantFrom(50_000, 65_535) // the server gives out low ones, perhaps right now
  })
]

const bad: fc.Arbitrary<Move>[] = [
  record({ move: fc.constant('flaw'), slot, what: fc.constantFrom(...Object.keys(flaws)) }),
  record({ move: fc.constant('connect again'), slot }),
  record({ move: fc.constant('garbage'), slot, bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) }),
  record({ move: fc.constant('half a publish'), slot, size: fc.nat({ max: 5000 }) })
]

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: connect },
  { weight: 8, arbitrary: publishes },
  { weight: 3, arbitrary: subscribes },
  {
    weight: 6,
    arbitrary: record({ move: fc.constant('acknowledge'), slot, which: fc.nat({ max: 5 }) })
  },
  { weight: 5, arbitrary: fc.oneof(...small) },
  { weight: 2, arbitrary: fc.oneof(...bad) },
  { weight: 2, arbitrary: record({ move: fc.constant('settle') }) }
)

/** A scenario: a connection to begin with, then anything. */
export const scenarios: fc.Arbitrary<Move[]> = fc
  .tuple(connect, fc.array(move, { minLength: 1, maxLength: 60, size: 'max' }))
  .map(([first, rest]) => [first, ...rest])
