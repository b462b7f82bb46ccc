// Where the time of a CPU profile went: functions by their own time, by theirs with what they called, and files.
// node dist/bench/read-profile.js FILE.cpuprofile [lines] [seconds to skip: a start is no part of serving]
import { readFileSync } from 'node:fs'

type Node = Profile['nodes'][number]

interface Profile {
  nodes: {
    id: number
    callFrame: { functionName: string; url: string; lineNumber: number }
    children?: number[]
  }[]
  samples: number[]
  timeDeltas: number[]
}

const [file = '', lines = '40', skipSeconds = '0'] = process.argv.slice(2)
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile
const microsecondsById = new Map<number, number>()
let elapsed = 0
for (const [index, id] of samples.entries()) {
  const microseconds = timeDeltas[index] ?? 0
  elapsed += microseconds
  if (elapsed > Number(skipSeconds) * 1e6)
    microsecondsById.set(id, (microsecondsById.get(id) ?? 0) + microseconds)
}
const nodeById = new Map(nodes.map(node => [node.id, node]))

const byFunction = new Map<string, number>()
const byFile = new Map<string, number>()
const withCalled = new Map<string, number>()
let busy = 0
for (const node of nodes) {
  const { id, callFrame } = node
  const microseconds = microsecondsById.get(id) ?? 0
  if (callFrame.functionName === '(idle)') continue
  const place = placeOf(node)
  const name = nameOf(node)
  byFunction.set(name, (byFunction.get(name) ?? 0) + microseconds)
  byFile.set(place || '(native)', (byFile.get(place || '(native)') ?? 0) + microseconds)
  busy += microseconds
}
const [root] = nodes
if (root !== undefined) addCalled(root, new Set())
print('own time by function', byFunction)
print('time by function with what it called', withCalled)
print('own time by file', byFile)

/** Adds up the tree, counting a function once where it calls itself; returns the time of the node and all below it. */
function addCalled(node: Node, above: ReadonlySet<string>): number {
  if (node.callFrame.functionName === '(idle)') return 0
  const name = nameOf(node)
  const within = new Set(above).add(name)
  let total = microsecondsById.get(node.id) ?? 0
  for (const id of node.children ?? []) {
    const child = nodeById.get(id)
    if (child !== undefined) total += addCalled(child, within)
  }
  if (!above.has(name)) withCalled.set(name, (withCalled.get(name) ?? 0) + total)
  return total
}

function placeOf({ callFrame }: Node): string {
  return callFrame.url.replace(/^.*\/(dist|node_modules)\//, '')
}

function nameOf(node: Node): string {
  return `${node.callFrame.functionName || '(anonymous)'} ${placeOf(node)}:${node.callFrame.lineNumber + 1}`
}

function print(title: string, times: Map<string, number>): void {
  console.log(`\n${title}, % of ${Math.round(busy / 1000)} busy ms`)
  const sorted = [...times].toSorted((a, b) => b[1] - a[1])
  for (const [name, time] of sorted.slice(0, Number(lines)))
    console.log(`${((100 * time) / busy).toFixed(1).padStart(5)}  ${name}`)
}
