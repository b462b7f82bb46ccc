// A circuit per channel: after some failures in a row nothing is attempted for a while, then one attempt shows whether the
// channel works again. Pure: states come in and go out, and so does the time. Waiting for a circuit costs no attempt.

export type Circuit =
  | { readonly state: 'closed'; readonly failures: number }
  /** Nothing is attempted before `until`, ms since 1970 UTC. */
  | { readonly state: 'open'; readonly until: number }
  /** One attempt is under way; the others wait for what becomes of it. */
  | { readonly state: 'half-open' }

export interface CircuitLimits {
  /** Failures in a row that open it. */
  failuresMax: number
  openMs: number
}

/** How a circuit begins. */
export const closedCircuit: Circuit = { state: 'closed', failures: 0 }

/** Whether an attempt may begin now. If so, `circuit` is the state from now on. `until` null: when the trial has ended. */
export type Admission = { allowed: true; circuit: Circuit } | { allowed: false; until: number | null }

export function admit(circuit: Circuit, at: number): Admission {
  switch (circuit.state) {
    case 'closed':
      return { allowed: true, circuit }
    case 'open':
      if (at < circuit.until) return { allowed: false, until: circuit.until }
      return { allowed: true, circuit: { state: 'half-open' } }
    case 'half-open':
      return { allowed: false, until: null }
  }
}

/** After an attempt that failed and may succeed later. Those that began before it opened don't keep it open longer. */
export function afterFailure(circuit: Circuit, at: number, limits: CircuitLimits): Circuit {
  if (circuit.state === 'open') return circuit
  const failures = circuit.state === 'closed' ? circuit.failures + 1 : limits.failuresMax
  if (failures < limits.failuresMax) return { state: 'closed', failures }
  return { state: 'open', until: at + limits.openMs }
}

/** After an attempt that was answered: what is sent, and what is refused for itself, shows that the channel works. */
export function afterAnswer(): Circuit {
  return closedCircuit
}

/** After an attempt that was given up without an outcome, as when the server stops: somebody else may try. */
export function afterAbort(circuit: Circuit, at: number): Circuit {
  return circuit.state === 'half-open' ? { state: 'open', until: at } : circuit
}
