// Common Expression Language as rules speak it: which variables there are, and what is added to the language.
// https://github.com/google/cel-spec/blob/master/doc/langdef.md
import { Environment } from '@marcbachmann/cel-js'
import { globMatches } from '../../store/glob.ts'
import type { Scope } from './expression.ts'

export type Variable = keyof Scope

/** A language with some of the variables. */
export interface Language {
  readonly variables: readonly Variable[]
  readonly environment: Environment
}

const types: Record<Variable, string> = {
  payload: 'dyn',
  topic: 'string',
  device: 'string',
  at: 'google.protobuf.Timestamp',
  severity: 'string',
  reason: 'string',
  rate: 'double',
  key: 'string',
  rule: 'string',
  count: 'double'
}

// What a line of a rule may need, far below what would be slow.
const limits = { maxAstNodes: 1000, maxDepth: 50, maxListElements: 500, maxMapEntries: 500 }

/** The language in which these variables are known; any other is an error when an expression is read. */
export function languageOf(variables: readonly Variable[]): Language {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits
  })
  for (const name of variables) environment.registerVariable(name, types[name])
  addArithmetic(environment)
  environment
    .registerFunction('level(string, int): string', levelOf, { async: false })
    .registerFunction('glob(string, string): bool', (text: string, glob: string) => globMatches(glob, text), {
      async: false
    })
    .registerFunction('abs(double): double', (value: number) => Math.abs(value), { async: false })
    .registerFunction('abs(int): int', (value: bigint) => (value < 0n ? -value : value), { async: false })
  return { variables, environment }
}

type Arithmetic = (left: number, right: number) => number

const arithmetic: Record<string, Arithmetic> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right
}

// CEL keeps int and double apart, and JSON has only doubles: without these `payload.n + 1` would be an error.
function addArithmetic(environment: Environment): void {
  for (const [sign, work] of Object.entries(arithmetic)) {
    const mixed = (left: number | bigint, right: number | bigint) => work(Number(left), Number(right))
    environment.registerOperator(`double ${sign} int: double`, mixed)
    environment.registerOperator(`int ${sign} double: double`, mixed)
  }
  environment.registerOperator(
    'double == int: bool',
    (left: number | bigint, right: number | bigint) => Number(left) === Number(right)
  )
  environment.registerOperator('double % double: double', (left: number, right: number) => left % right)
}

/** A level of a topic: the first is 1, the last -1. */
function levelOf(topic: string, place: bigint): string {
  const level = topic.split('/').at(Number(place > 0n ? place - 1n : place))
  if (level === undefined || place === 0n) throw new Error(`the topic has no level ${place}`)
  return level
}
