// A worker thread that looks at what the main thread runs while its event loop is blocked. It costs a few wake-ups a
// second; only in a block does it attach to the main thread's inspector, for the milliseconds it takes to read a stack.
import { Session, type Debugger } from 'node:inspector'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'

/** What ran in a block, innermost first: `function file:line`. */
export interface Sighting {
  stack: string[]
}

const FRAMES = 8
/**
 * To attach takes the main thread tens of milliseconds, in which V8 walks its whole heap. A process that is blocked again
 * and again, or not given its core, must not lose more than a small part of its time to being looked at.
 */
const REST_PER_LOOK = 50
const REST_MAX_MS = 5000

const { ticks, blockMs, port } = workerData as { ticks: Int32Array; blockMs: number; port: MessagePort }

let tick = 0
let since = performance.now()
let looked = false
let restUntil = 0

setInterval(() => {
  const current = Atomics.load(ticks, 0)
  if (current !== tick) {
    tick = current
    since = performance.now()
    looked = false
  } else if (!looked && performance.now() - since >= blockMs / 2 && performance.now() >= restUntil) {
    looked = true
    restUntil = Infinity // until this look is over
    look(current)
  }
}, blockMs / 4)
parentPort?.unref()

/** Stops the main thread for an instant, reads its stack, and lets it go on. */
function look(blockedTick: number): void {
  const startedMs = performance.now()
  const session = new Session()
  const urls = new Map<string, string>()
  session.connectToMainThread()
  session.on('Debugger.scriptParsed', ({ params }) => void urls.set(params.scriptId, params.url))
  session.on('Debugger.paused', ({ params }) => {
    // If the loop has come by meanwhile, this is some innocent code.
    const stack = params.callFrames.slice(0, FRAMES).map(frame => describe(frame, urls))
    if (Atomics.load(ticks, 0) === blockedTick) port.postMessage({ stack } satisfies Sighting)
    session.disconnect() // which lets the main thread go on
    const endedMs = performance.now()
    restUntil = endedMs + Math.min(REST_MAX_MS, (endedMs - startedMs) * REST_PER_LOOK)
  })
  session.post('Debugger.enable')
  session.post('Debugger.pause')
}

function describe({ functionName, location }: Debugger.CallFrame, urls: ReadonlyMap<string, string>): string {
  const file = (urls.get(location.scriptId) ?? '').replace(/^.*\/node_modules\/|^.*?\/dist\//, '')
  return `${functionName === '' ? '(anonymous)' : functionName} ${file}:${location.lineNumber + 1}`
}
