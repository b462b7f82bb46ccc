// Fuzzes a server for as long as one likes and prints how much memory it takes meanwhile:
//   npm run fuzz -- --seconds 600 --seed 7
// The exit code is 1 when the server failed a case, which is printed as small as it could be made, or grew.
import { parseArgs } from 'node:util'
import type { Arbitrary } from 'fast-check'
import { Arena } from '../fuzz/arena.ts'
import { hunt } from '../fuzz/hunt.ts'
import { scenarios } from '../fuzz/moves.ts'
import { play } from '../fuzz/player.ts'
import { playStream } from '../fuzz/stream-player.ts'
import { streams } from '../fuzz/streams.ts'

const ROUND_MS = 10_000
/** Seeds that a round may use up. */
const SEEDS_PER_ROUND = 100_000
/** Fewer rounds say nothing about memory: old objects are collected every minute or two. */
const ROUNDS_JUDGED_MIN = 48
const GROWTH_MAX_MIB = 16

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` }
  }
})
const until = performance.now() + Number(values.seconds) * 1000
let seed = Number(values.seed)
console.log(`seed ${seed}`)

await using arena = await Arena.open()
/** What objects have survived take, after each round, MiB. */
const sizes: number[] = []
let cases = 0
while (performance.now() < until && process.exitCode === undefined) {
  await round('scenarios', scenarios, play)
  if (process.exitCode === undefined) await round('streams', streams, playStream)
}
console.log(`${cases} cases`)
judgeMemory()

async function round<Case>(
  what: string,
  each: Arbitrary<Case>,
  attempt: (arena: Arena, value: Case) => Promise<void>
): Promise<void> {
  const timeMs = Math.min(ROUND_MS, Math.max(1, until - performance.now()))
  const verdict = await hunt({ arena, cases: each, attempt, seed, timeMs })
  cases += verdict.cases
  if (verdict.failure === null) {
    const [resident, kept] = [mib(await arena.server.residentBytes()), mib(await keptBytes())]
    sizes.push(kept)
    console.log(
      `${what}: ${verdict.cases} cases from seed ${seed} on; ${resident} MiB resident, ${kept} MiB in old objects`
    )
  } else {
    console.log(`${what}, seed ${seed}:\n${verdict.failure}`)
    process.exitCode = 1
  }
  seed += SEEDS_PER_ROUND
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}

async function keptBytes(): Promise<number> {
  const { body } = await arena.server.ask('/metrics')
  const spaces = /^nodejs_heap_space_size_used_bytes\{space="(?:old|large_object)"\} (\d+)/gm
  return [...String(body).matchAll(spaces)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

// The resident size follows V8's room for young objects, which grows under load for minutes and shrinks when it is idle;
// a leak shows in the old ones. The least of a stretch of rounds tells what stays, the rest is still to be collected.
function judgeMemory(): void {
  if (sizes.length < ROUNDS_JUDGED_MIN || process.exitCode !== undefined) return
  const quarter = Math.floor(sizes.length / 4)
  const warm = Math.min(...sizes.slice(quarter, 2 * quarter))
  const last = Math.min(...sizes.slice(-quarter))
  console.log(`old objects: ${warm} MiB when warm, ${last} MiB in the end`)
  if (last - warm > GROWTH_MAX_MIB) process.exitCode = 1
}
