// Whether ratios have become worse than the committed ones. Pure.
import { OTHERS } from './compare.ts'
import type { Ratio, Result } from './result.ts'

export interface Finding {
  /** Which ratio: title, row and peer. */
  what: string
  committed: number
  /** NaN when there is none now. */
  found: number
  /** Part by which it may be worse. */
  margin: number
}

export interface Verdict {
  /** Ratios that are worse by more than the margin, or that could not be measured. */
  failed: Finding[]
  /** Ratios that were compared. */
  compared: number
}

/**
 * Compares every ratio to a peer that is committed with what was found now. `margin` is the part by which a ratio may be
 * worse: 0.25 lets 0.40 become 0.50. Where a committed round was further away from its own median than that, a ratio may
 * be worse by as much.
 */
export function checkRatios(committed: readonly Result[], found: readonly Result[], margin: number): Verdict {
  const now = ratiosOf(found)
  const failed: Finding[] = []
  let compared = 0
  for (const [what, ratio] of ratiosOf(committed)) {
    const before = ratio.value
    if (Number.isNaN(before)) continue
    const value = now.get(what)?.value ?? Number.NaN
    if (!Number.isNaN(value)) compared++
    const allowed = Math.max(margin, spreadOf(ratio))
    if (!(value <= before * (1 + allowed)))
      failed.push({ what, committed: before, found: value, margin: allowed })
  }
  return { failed, compared }
}

/** Of two measures of the same, each ratio as it was better. */
export function betterRatios(first: readonly Result[], second: readonly Result[]): Result[] {
  const others = ratiosOf(second)
  return first.map(result => ({
    ...result,
    rows: result.rows.map(row => {
      const ratios = row.ratios?.map(({ to, value }) => {
        const other = others.get(nameOf(result, row.name, to))?.value ?? Number.NaN
        return {
          to,
          value: Number.isNaN(value) ? other : Number.isNaN(other) ? value : Math.min(value, other)
        }
      })
      return { ...row, ...(ratios && { ratios }) }
    })
  }))
}

/** How far a round's ratio was from that of the medians, at most, as a part of it; 0 where there was one round. */
export function noiseOf(results: readonly Result[]): number {
  return Math.max(0, ...results.flatMap(({ rows }) => rows.flatMap(row => (row.ratios ?? []).map(spreadOf))))
}

function spreadOf({ value, rounds = [] }: Ratio): number {
  const parts = rounds.map(round => Math.abs(round / value - 1))
  return Math.max(0, ...parts.filter(part => !Number.isNaN(part)))
}

/** CPU time of what else ran on the machine, % of a core, at most. */
export function disturbance(results: readonly Result[]): number {
  const parts = results.flatMap(({ rows }) => rows.map(({ figures }) => figures[OTHERS] ?? 0))
  return Math.max(0, ...parts.filter(part => !Number.isNaN(part)))
}

export function findingText({ what, committed, found, margin }: Finding): string {
  if (Number.isNaN(found))
    return `${what}: ${committed.toFixed(3)} is committed, and nothing could be measured`
  const worse = Math.round((found / committed - 1) * 100)
  const allowed = Math.round(margin * 100)
  return `${what}: ${found.toFixed(3)}, ${worse} % worse than the committed ${committed.toFixed(3)}; it may be ${allowed} %`
}

function ratiosOf(results: readonly Result[]): Map<string, Ratio> {
  const ratios = new Map<string, Ratio>()
  for (const result of results)
    for (const row of result.rows)
      for (const ratio of row.ratios ?? []) ratios.set(nameOf(result, row.name, ratio.to), ratio)
  return ratios
}

function nameOf({ title }: Result, row: string, to: string): string {
  return `${title}: ${row} × ${to}`
}
