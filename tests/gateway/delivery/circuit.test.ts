// When a channel's circuit opens, and how it closes.
import { describe, expect, test } from '@jest/globals'
import {
  admit,
  afterAbort,
  afterAnswer,
  afterFailure,
  closedCircuit,
  type Circuit
} from '../../../gateway/delivery/circuit.ts'

const limits = { failuresMax: 3, openMs: 30_000 }

function failed(times: number, from: Circuit = closedCircuit): Circuit {
  let circuit = from
  for (let n = 0; n < times; n++) circuit = afterFailure(circuit, 1000, limits)
  return circuit
}

describe('a circuit', () => {
  test('opens after failures in a row, and not after failures with a success between', () => {
    expect(admit(failed(2), 1000).allowed).toBe(true)
    expect(admit(failed(3), 1000)).toEqual({ allowed: false, until: 31_000 })
    expect(admit(failed(2, afterAnswer()), 1000).allowed).toBe(true)
  })

  test('lets one attempt through when its time has passed, and only one', () => {
    const open = failed(3)
    expect(admit(open, 30_999).allowed).toBe(false)
    const trial = admit(open, 31_000)
    if (!trial.allowed) throw new Error('the trial is not let through')
    expect(admit(trial.circuit, 31_000)).toEqual({ allowed: false, until: null })
  })

  test('a trial that fails opens it again, one that is answered closes it', () => {
    const trial: Circuit = { state: 'half-open' }
    expect(afterFailure(trial, 50_000, limits)).toEqual({ state: 'open', until: 80_000 })
    expect(afterAnswer()).toEqual(closedCircuit)
  })

  test('failures of attempts that were under way when it opened don’t keep it open longer', () => {
    const open = failed(3)
    expect(afterFailure(open, 20_000, limits)).toEqual(open)
  })

  test('a trial that is given up leaves room for another', () => {
    const circuit = afterAbort({ state: 'half-open' }, 40_000)
    expect(admit(circuit, 40_000).allowed).toBe(true)
    expect(afterAbort(failed(2), 40_000)).toEqual(failed(2))
  })
})
