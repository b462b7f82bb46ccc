// The payload that devices send in every measure: a small JSON object, of just the size that is wanted.

/** Where the time of sending stands: digits, microseconds of the machine's monotonic clock. */
export const SENT_AT = '{"sent":"'.length
export const SENT_DIGITS = 16

/** JSON with room for the time of sending. */
export function jsonPayload(bytes: number): string {
  const head = `{"sent":"${'0'.repeat(SENT_DIGITS)}","celsius":21.5,"pad":"`
  return `${head}${'x'.repeat(Math.max(0, bytes - head.length - 2))}"}`
}

/** Now, on a clock that all processes of the machine share, µs. */
export function nowMicroseconds(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
