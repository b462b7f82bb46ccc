// /v1/rules, /v1/handlers, /v1/reload: what judges events, how it does, and the file it comes from.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { DryRunResult } from '../rules/dry-run.ts'
import { GatewayError } from '../errors.ts'
import { dryRun, handler, itemsOf, reloaded, rule } from './alerting-schemas.ts'
import type { HttpContext } from './context.ts'
import { parsePastTime } from './moments.ts'
import { timeText } from './schemas.ts'

/** Dry runs at a time: each takes much of the event loop’s time, in slices. */
const DRY_RUNS_MAX = 2

interface DryRunBody {
  rule?: string | object
  name?: string
  from: string
  to?: string
}

export function ruleRoutes(app: FastifyInstance, { alerting, now, draining }: HttpContext): void {
  let dryRuns = 0

  app.get('/v1/rules', {
    config: {
      role: 'viewer',
      summary: 'The rules, and how each does.',
      answers: { 200: { description: 'All', schema: itemsOf(rule) } }
    },
    handler: async () => ({ items: alerting.rules() })
  })

  app.post<{ Body: DryRunBody }>('/v1/rules/dry-run', {
    config: {
      role: 'operator',
      summary: 'What a rule would have raised over stored history. Nothing is written, and nobody told.',
      answers: { 200: { description: 'What it would have done', schema: dryRun } }
    },
    schema: {
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['from'],
        properties: {
          rule: {
            type: ['string', 'object'],
            description:
              'A rule as in the alerting file: its YAML, or an object. It may be a whole file. Absent: a rule in force.'
          },
          name: {
            type: 'string',
            description: 'Which rule, where there are several; needed where `rule` is absent.'
          },
          from: { type: 'string', description: 'RFC 3339, or a duration before now such as 24h.' },
          to: { type: 'string', description: 'The same; default: now.' }
        }
      }
    },
    handler: async ({ body }, reply) => {
      const at = now()
      const from = parsePastTime(body.from, 'from', at)
      const to = body.to === undefined ? at : parsePastTime(body.to, 'to', at)
      if (to <= from) throw new GatewayError('request-invalid', 'body/to must be after from')
      const rule = wantedRule(body, alerting.rules())
      if (dryRuns >= DRY_RUNS_MAX)
        throw new GatewayError('dry-runs-limit', `at most ${DRY_RUNS_MAX} rules are tried at a time`)
      dryRuns++
      const signal = AbortSignal.any([goneSignal(reply), draining])
      const result = await alerting.dryRun({ ...rule, from, to, signal }).finally(() => dryRuns--)
      if (result.ok) return dryRunJson(result)
      throw new GatewayError('rule-invalid', sentence(result.problems), {
        extra: { problems: result.problems }
      })
    }
  })

  app.get('/v1/handlers', {
    config: {
      role: 'viewer',
      summary: 'The handlers, and how each does.',
      answers: { 200: { description: 'All', schema: itemsOf(handler) } }
    },
    handler: async () => ({ items: alerting.handlers() })
  })

  app.post('/v1/reload', {
    config: {
      role: 'admin',
      summary: 'Reads the alerting file again. One with problems changes nothing.',
      answers: { 200: { description: 'How many there are of each now', schema: reloaded } }
    },
    handler: async () => {
      const result = await alerting.reload()
      if (!result.ok)
        throw new GatewayError('alerting-file-invalid', sentence(result.problems), {
          extra: { problems: result.problems }
        })
      const { ok: _, ...counts } = result
      return counts
    }
  })
}

/** What to try: the rule that was sent, or null and the name of one in force. */
function wantedRule(
  { rule, name }: DryRunBody,
  inForce: readonly { name: string }[]
): { rule: string | null; name?: string } {
  // JSON is YAML.
  if (rule !== undefined)
    return {
      rule: typeof rule === 'string' ? rule : JSON.stringify(rule),
      ...(name !== undefined && { name })
    }
  if (name === undefined) throw new GatewayError('request-invalid', 'body must have either rule or name')
  if (inForce.some(one => one.name === name)) return { rule: null, name }
  throw new GatewayError('rule-unknown', `no rule "${name.slice(0, 100)}" is in force`)
}

/** Aborted when whoever asked is there no more. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return gone.signal
}

function sentence(problems: readonly { line: number; message: string }[]): string {
  return problems.map(({ line, message }) => `line ${line}: ${message}`).join('; ')
}

function dryRunJson({
  from,
  to,
  looked,
  complete,
  fired,
  firings,
  errors,
  lastError
}: DryRunResult): Record<string, unknown> {
  return {
    from: timeText(from),
    to: timeText(to),
    looked,
    complete,
    fired,
    firings: firings.map(({ at, clearedAt, ...rest }) => ({
      at: timeText(at),
      clearedAt: clearedAt === null ? null : timeText(clearedAt),
      ...rest
    })),
    errors,
    lastError
  }
}
