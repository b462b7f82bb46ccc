// Texts with expressions in braces: `{device} is at {payload.celsius} °C`.
import type { Scope } from './expression.ts'

export interface Template {
  readonly source: string
  /** Never throws: what can't be worked out is shown as `?`. */
  render(scope: Scope): string
}
