// A few seconds of fuzzing. TOCSIN_FUZZ_SEED has other cases tried; `npm run fuzz` goes on for as long as one likes.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Arena } from '../fuzz/arena.ts'
import { hunt } from '../fuzz/hunt.ts'
import { scenarios } from '../fuzz/moves.ts'
import { play } from '../fuzz/player.ts'
import { playStream } from '../fuzz/stream-player.ts'
import { streams } from '../fuzz/streams.ts'

const seed = Number(process.env['TOCSIN_FUZZ_SEED'] ?? 1)
const timeMs = 3000
let arena: Arena

beforeAll(async () => {
  arena = await Arena.open()
})

afterAll(() => arena[Symbol.asyncDispose]())

test(`clients that do anything, in any order, are answered as they must be (seed ${seed})`, async () => {
  const verdict = await hunt({ arena, cases: scenarios, attempt: play, seed, timeMs })
  if (verdict.failure !== null) throw new Error(verdict.failure)
  expect(verdict.cases).toBeGreaterThan(0)
}, 180_000)

test(`bytes that were packets once do no harm (seed ${seed})`, async () => {
  const verdict = await hunt({ arena, cases: streams, attempt: playStream, seed, timeMs })
  if (verdict.failure !== null) throw new Error(verdict.failure)
  expect(verdict.cases).toBeGreaterThan(0)
}, 180_000)
