// Times as requests say them: RFC 3339, or how long before now. Pure.
import { durationMsOf } from '../alerting/yaml-reader.ts'
import { GatewayError } from '../errors.ts'

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/i

/** An RFC 3339 time in ms since 1970 UTC; throws `request-invalid` that names the field. */
export function parseTime(text: string, field: string): number {
  const at = RFC3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw invalid(field, 'must be an RFC 3339 time, such as 2026-09-21T14:00:00Z')
  return at
}

/** Such a time, or a duration before `now`, such as `24h`. */
export function parsePastTime(text: string, field: string, now: number): number {
  const ms = durationMsOf(text)
  if (ms !== null) return now - ms
  const at = RFC3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw invalid(field, 'must be an RFC 3339 time, or a duration before now such as 24h')
  return at
}

/** A duration such as `2h`, in ms. */
export function parseDuration(text: string, field: string): number {
  const ms = durationMsOf(text)
  if (ms === null || ms === 0) throw invalid(field, 'must be a duration such as 30m, 2h or 1d')
  return ms
}

function invalid(field: string, message: string): GatewayError {
  const path = `body/${field}`
  return new GatewayError('request-invalid', `${path} ${message}`, { extra: { errors: [{ path, message }] } })
}
