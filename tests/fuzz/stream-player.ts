// Sends a mutated stream to the server and looks what it makes of it.
import { setTimeout as delay } from 'node:timers/promises'
import { parser, type Packet } from 'mqtt-packet'
import type { Version } from '../broker/conformance/wire.ts'
import { within, type Arena } from './arena.ts'
import { PINGREQ } from './encode.ts'
import { Peer } from './peer.ts'
import { forget } from './player.ts'
import { streamOf, type StreamCase } from './streams.ts'
import { Violation } from './violation.ts'

const CLIENT_ID = 'fuzz-stream'

/** What a parser that is not ours, and does not look closely, finds in a stream. */
interface SecondOpinion {
  version: Version
  /** What is malformed for certain. */
  fault: string | null
  /** Whether it ends within a packet. */
  unfinished: boolean
}

/** Plays one stream; throws a Violation. */
export async function playStream(arena: Arena, given: StreamCase): Promise<void> {
  const { bytes, intact } = streamOf(given, CLIENT_ID)
  const opinion = secondOpinion(bytes, given.version)
  const peer = new Peer({
    port: arena.port,
    version: opinion.version,
    clientId: CLIENT_ID,
    receiveMaximum: 65_535
  })
  try {
    peer.fate = 'either'
    const acknowledged: string[] = []
    for (const [packetId, payload] of intact) {
      for (const answer of ['puback', 'pubrec']) {
        peer.expect(`${answer} ${packetId}`, packet => {
          if (!('reasonCode' in packet) || (packet.reasonCode ?? 0) < 0x80) acknowledged.push(payload)
        })
      }
    }
    await send(peer, bytes, given.borders)
    await arena.callWitness()
    await settle(peer, opinion)
    peer.leave({ reset: given.reset })
    await peer.closed
    await forget(arena, CLIENT_ID)
    // A client id that was changed may have a session now that nobody ends.
    const payloads = new Set((await arena.inspect({ mayStore: true })).map(({ payload }) => String(payload)))
    const lost = acknowledged.filter(payload => !payloads.has(payload))
    if (lost.length > 0) throw new Violation(`acknowledged, and not in the log: ${lost.join(', ')}`)
  } finally {
    peer.leave()
  }
}

async function send(peer: Peer, bytes: Buffer, borders: readonly number[]): Promise<void> {
  const places = borders.map(border => Math.floor((border / 1000) * bytes.length)).toSorted((a, b) => a - b)
  let from = 0
  for (const to of places) {
    peer.send(bytes.subarray(from, to))
    from = to
    await delay(1) // so that what comes next is a chunk of its own
  }
  peer.send(bytes.subarray(from))
}

async function settle(peer: Peer, { fault, unfinished }: SecondOpinion): Promise<void> {
  if (fault !== null) {
    await within(() => peer.ended, `the end of a connection (${fault})`)
  } else if (!unfinished) {
    let answered = false
    peer.expect('pingresp', () => (answered = true))
    peer.send(PINGREQ)
    await within(() => answered || peer.ended, 'an answer to PINGREQ, or the end')
  }
  const [problem] = peer.problems
  if (problem !== undefined) throw new Violation(problem)
}

function secondOpinion(bytes: Buffer, version: Version): SecondOpinion {
  const opinion: SecondOpinion = { version, fault: null, unfinished: false }
  const reader = parser()
  const seen = { any: false, end: false }
  reader.on('packet', (packet: Packet) => {
    if (!seen.any && packet.cmd === 'connect') opinion.version = packet.protocolVersion ?? version
    seen.end = packet.cmd === 'disconnect' || (!seen.any && packet.cmd !== 'connect')
    seen.any = true
  })
  reader.on('error', (error: Error) => {
    if (opinion.version !== 3) opinion.fault ??= error.message // which allowed some of what it refuses
  })
  for (let at = 0; at < bytes.length && opinion.fault === null && !seen.end;) {
    const end = endOfPacket(bytes, at)
    if (end > bytes.length) opinion.unfinished = true
    else reader.parse(bytes.subarray(at, end))
    at = end
  }
  return opinion
}

/** Where the packet ends that begins at `start`; past the end of the bytes if it is not whole. */
function endOfPacket(bytes: Buffer, start: number): number {
  let remaining = 0
  for (let index = 0; index < 4; index++) {
    const byte = bytes[start + 1 + index]
    if (byte === undefined) return Infinity
    remaining += (byte & 0x7f) * 128 ** index
    if (byte < 0x80) return start + 2 + index + remaining
  }
  return bytes.length // the parser says what is wrong with it
}
