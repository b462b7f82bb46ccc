// Where the time of a CPU profile went: the functions by their own time, and by file.
// node dist/bench/read-profile.js FILE.cpuprofile [lines]
import { readFileSync } from 'node:fs'

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

const [file = '', lines = '40'] = process.argv.slice(2)
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile
const microsecondsById = new Map<number, number>()
for (const [index, id] of samples.entries())
  microsecondsById.set(id, (microsecondsById.get(id) ?? 0) + (timeDeltas[index] ?? 0))

const byFunction = new Map<string, number>()
const byFile = new Map<string, number>()
let busy = 0
for (const { id, callFrame } of nodes) {
  const microseconds = microsecondsById.get(id) ?? 0
  if (callFrame.functionName === '(idle)') continue
  const place = callFrame.url.replace(/^.*\/(dist|node_modules)\//, '')
  const name = `${callFrame.functionName || '(anonymous)'} ${place}:${callFrame.lineNumber + 1}`
  byFunction.set(name, (byFunction.get(name) ?? 0) + microseconds)
  byFile.set(place || '(native)', (byFile.get(place || '(native)') ?? 0) + microseconds)
  busy += microseconds
}
print('own time by function', byFunction)
print('own time by file', byFile)

function print(title: string, times: Map<string, number>): void {
  console.log(`\n${title}, % of ${Math.round(busy / 1000)} busy ms`)
  const sorted = [...times].toSorted((a, b) => b[1] - a[1])
  for (const [name, time] of sorted.slice(0, Number(lines)))
    console.log(`${((100 * time) / busy).toFixed(1).padStart(5)}  ${name}`)
}
