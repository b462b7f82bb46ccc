// What a process that serves asks of JavaScript's engine and of the system. For a whole process: not for who starts a
// server inside one of its own.
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { setFlagsFromString } from 'node:v8'

/** Names of the threads on which V8 marks old objects, collects young ones and optimizes code. */
const HELPERS = 'V8Worker'
/** By how much nicer those are; 10 is a tenth of the weight. */
const NICER = 10
const NICEST = 19

/** Sets the process up for serving. Call it before there is load. */
export function settleProcess(): void {
  // V8 watches what is allocated where, and once most of a place's objects outlived a collection (as all do while thousands
  // connect at once), it makes that place's objects old from birth, for good. Every notification would be one of them,
  // and they would fill the old heap, which takes a tenth of a second to go through, every few seconds.
  setFlagsFromString('--no-allocation-site-pretenuring')
  calmHelpers()
}

/**
 * Lets the engine's helper threads run when the event loop and the database have nothing to do. Where all of them share one
 * core, four threads that mark old objects would take most of it from the event loop. Only Linux has priorities of
 * threads; elsewhere this does nothing.
 */
function calmHelpers(): void {
  if (process.platform !== 'linux') return
  const niceness = Math.min(NICEST, os.getPriority() + NICER)
  for (const id of threads()) {
    try {
      if (readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim() === HELPERS) os.setPriority(id, niceness)
    } catch {
      // It has ended, or a sandbox forbids it. The server is as right without.
    }
  }
}

function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number)
  } catch {
    return []
  }
}
