// A fleet's profile: what devices there are, how they behave and what goes wrong with them. Text in, checked values or
// all problems out; nothing is read here.
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A duration such as `500ms`, `10s`, `5m` or `1h`; a bare number is in seconds. The result is in milliseconds. */
const duration = (minMs: number, maxMs: number) =>
  z.union([z.number(), z.string()]).transform((value, context) => {
    const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*$/.exec(String(value)) ?? []
    const ms = Math.round(Number(digits) * (unitMs[unit ?? 's'] ?? Number.NaN))
    if (ms >= minMs && ms <= maxMs) return ms
    context.addIssue({
      code: 'custom',
      message: `must be a duration between ${minMs} ms and ${maxMs / 1000} s, such as 500ms, 10s or 5m`
    })
    return z.NEVER
  })

const HOUR_MS = 3_600_000
const share = z.number().min(0).max(1)

/** When a fault strikes: at each event with a probability, or at times after the device's start, or both. */
const occurrence = {
  probability: share.default(0),
  at: z
    .array(duration(0, 1000 * HOUR_MS))
    .max(1000)
    .default([]),
  /** Share of the devices that have this fault at all. */
  devices: share.default(1)
}

const faults = z.strictObject({
  /** Connected, but says nothing. */
  silent: z.strictObject({ ...occurrence, lasts: duration(1, 24 * HOUR_MS).default(30_000) }).optional(),
  /** Says goodbye and comes back, several times in a row. */
  flapping: z
    .strictObject({
      ...occurrence,
      times: z.number().int().min(1).max(100).default(4),
      down: duration(1, HOUR_MS).default(500),
      up: duration(1, HOUR_MS).default(1000)
    })
    .optional(),
  /** The connection is reset without a goodbye. Sensors go on; what they measure waits in the device. */
  powerCut: z.strictObject({ ...occurrence, lasts: duration(0, 24 * HOUR_MS).default(15_000) }).optional(),
  /** The same values again and again. */
  stuck: z.strictObject({ ...occurrence, lasts: duration(1, 24 * HOUR_MS).default(60_000) }).optional(),
  /** A payload that breaks off. */
  malformed: z.strictObject(occurrence).optional(),
  /** An event is sent a second time. */
  repeat: z.strictObject(occurrence).optional()
})

const decimals = z.number().int().min(0).max(6).default(2)
const number = z.number().min(-1e9).max(1e9)
const positive = z.number().min(0).max(1e9)
/** A departure from the usual, so that thresholds are crossed now and then: up to `by`, back after `lasts`. */
const excursion = z
  .strictObject({ probability: share, by: number, lasts: duration(1, 24 * HOUR_MS) })
  .optional()

const signal = z.discriminatedUnion('signal', [
  /** A curve over the day with noise. */
  z.strictObject({
    signal: z.literal('daily'),
    mean: number,
    amplitude: positive.default(0),
    peakHour: z.number().min(0).max(24).default(15),
    noise: positive.default(0),
    min: number.optional(),
    max: number.optional(),
    decimals,
    excursion
  }),
  /** A random walk that is drawn back to its mean. */
  z.strictObject({
    signal: z.literal('walk'),
    mean: number,
    step: positive,
    pull: share.default(0.05),
    min: number.optional(),
    max: number.optional(),
    decimals,
    excursion
  }),
  /** Only grows; by `perHour` with a random part. */
  z.strictObject({ signal: z.literal('counter'), perHour: positive, start: positive.default(0), decimals }),
  /** On and off, staying for a while. */
  z.strictObject({
    signal: z.literal('toggle'),
    on: z.union([z.string(), z.number(), z.boolean()]).default(true),
    off: z.union([z.string(), z.number(), z.boolean()]).default(false),
    /** Chance, at each event, of turning on and of turning off. */
    turnsOn: share,
    turnsOff: share
  })
])

const kind = z.strictObject({
  kind: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens'),
  /** Parts of the fleet, relative to the other kinds. */
  share: z.number().positive().max(1e6).default(1),
  /** `{site}`, `{kind}` and `{id}` are filled in. */
  topic: z
    .string()
    .min(1)
    .max(1000)
    .regex(/^[^+#\0]*$/, 'must hold no wildcard'),
  interval: duration(1, 24 * HOUR_MS),
  /** Part of the interval by which each one is longer or shorter at random. */
  jitter: share.default(0.2),
  fields: z.record(z.string().min(1).max(100), signal),
  /** In place of the fleet's faults of the same name. */
  faults: faults.optional()
})

const profile = z
  .strictObject({
    name: z.string().min(1).max(100),
    count: z.number().int().min(1).max(15_000).default(60),
    sites: z.array(z.string().min(1).max(100)).min(1).max(10_000).default(['main']),
    /** Share of devices that speak MQTT; the others speak the raw TCP protocol. */
    mqttShare: share.default(0.5),
    /** Share of the MQTT devices that speak version 5; the others speak 3.1.1. */
    mqtt5Share: share.default(0.5),
    keepalive: duration(1000, 24 * HOUR_MS).default(60_000),
    day: z
      .strictObject({
        /** Time of day at which a run begins, in hours. */
        startHour: z.number().min(0).max(24).default(8),
        /** How long a day takes: shorter than 24 h makes daily curves visible in short runs. */
        length: duration(1000, 24 * HOUR_MS).default(24 * HOUR_MS)
      })
      .prefault({}),
    faults: faults.prefault({}),
    kinds: z.array(kind).min(1).max(100)
  })
  .superRefine((value, context) => {
    const names = new Set<string>()
    value.kinds.forEach((each, index) => {
      if (names.has(each.kind))
        context.addIssue({
          code: 'custom',
          path: ['kinds', index, 'kind'],
          message: 'is used by an earlier kind'
        })
      names.add(each.kind)
      if ('n' in each.fields)
        context.addIssue({
          code: 'custom',
          path: ['kinds', index, 'fields', 'n'],
          message: "is the event's number, which every payload has already"
        })
    })
  })

export type Profile = z.infer<typeof profile>
export type KindProfile = Profile['kinds'][number]
export type FaultsProfile = z.infer<typeof faults>
export type SignalProfile = z.infer<typeof signal>

export type ProfileResult = { ok: true; profile: Profile } | { ok: false; problems: ProfileProblem[] }
export interface ProfileProblem {
  /** Where in the profile, such as `kinds[0].interval`; empty for the whole. */
  path: string
  line?: number
  message: string
}

/** Reads a profile from YAML; all problems at once. */
export function parseProfile(text: string): ProfileResult {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  if (document.errors.length > 0) {
    const problems = document.errors.map(error => ({
      path: '',
      line: lines.linePos(error.pos[0]).line,
      message: error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? error.message
    }))
    return { ok: false, problems }
  }
  const result = profile.safeParse(document.toJS({ maxAliasCount: 100 }))
  if (result.success) return { ok: true, profile: result.data }
  const problems = result.error.issues.map(issue => {
    const start = nearestNode(issue.path)?.range?.[0]
    const line = start === undefined ? undefined : lines.linePos(start).line
    return { path: pathText(issue.path), ...(line === undefined ? {} : { line }), message: issue.message }
  })
  return { ok: false, problems }

  function nearestNode(path: readonly PropertyKey[]): { range?: readonly number[] | null } | undefined {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      if (typeof node === 'object' && node !== null && 'range' in node)
        return node as { range?: readonly number[] | null }
    }
    return undefined
  }
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}
