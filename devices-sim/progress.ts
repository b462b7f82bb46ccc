// How a run is getting on: one line that is rewritten on a terminal, a line now and then elsewhere.
import type { Statistics } from './statistics.ts'

/** Where progress is shown. */
export interface ProgressOutput {
  isTTY?: boolean | undefined
  columns?: number | undefined
  write(text: string): unknown
}

const TERMINAL_MS = 500
const PLAIN_MS = 5000

/** The line itself. Pure. */
export function progressLine(
  statistics: Statistics,
  run: { size: number; elapsedS: number; waiting: number; perSecond: number }
): string {
  const { mqtt, tcp } = statistics.byProtocol
  const p99 = Math.max(
    mqtt.acknowledgementUs.getValueAtPercentile(99),
    tcp.acknowledgementUs.getValueAtPercentile(99)
  )
  const parts = [
    `${run.elapsedS.toFixed(0)} s`,
    `${mqtt.connected + tcp.connected}/${run.size} connected (${mqtt.connected} mqtt, ${tcp.connected} tcp)`,
    `${statistics.total(each => each.acknowledged)} acknowledged`,
    `${run.perSecond.toFixed(0)}/s`,
    `${run.waiting} waiting`,
    `p99 ${(p99 / 1000).toFixed(1)} ms`,
    `${statistics.total(each => each.reconnects)} reconnects`
  ]
  const failures = statistics.total(each => each.failures)
  if (failures > 0) parts.push(`${failures} failures`)
  return parts.join(' · ')
}

/** Shows the progress of a fleet until it is stopped. */
export class Progress {
  readonly #output: ProgressOutput
  readonly #fleet: { size: number; waiting: number; statistics: Statistics }
  readonly #timer: NodeJS.Timeout
  readonly #startedMs = performance.now()
  #shownMs = this.#startedMs
  #acknowledged = 0

  constructor(fleet: { size: number; waiting: number; statistics: Statistics }, output: ProgressOutput) {
    this.#fleet = fleet
    this.#output = output
    this.#timer = setInterval(() => this.#show(), output.isTTY === true ? TERMINAL_MS : PLAIN_MS)
  }

  /** Ends the display; a terminal's line is wiped. */
  stop(): void {
    clearInterval(this.#timer)
    if (this.#output.isTTY === true) this.#output.write('\r\u001b[K')
  }

  #show(): void {
    const { statistics, size, waiting } = this.#fleet
    const nowMs = performance.now()
    const acknowledged = statistics.total(each => each.acknowledged)
    const perSecond = ((acknowledged - this.#acknowledged) * 1000) / Math.max(1, nowMs - this.#shownMs)
    this.#acknowledged = acknowledged
    this.#shownMs = nowMs
    const elapsedS = (nowMs - this.#startedMs) / 1000
    const line = progressLine(statistics, { size, elapsedS, waiting, perSecond })
    if (this.#output.isTTY === true)
      this.#output.write(`\r${line.slice(0, (this.#output.columns ?? 80) - 1)}\u001b[K`)
    else this.#output.write(`${line}\n`)
  }
}
