// POST /v1/alerts and /api/v2/alerts: alerts whose conditions are watched elsewhere.
import type { FastifyInstance } from 'fastify'
import { alertJson } from '../alerts/alert-json.ts'
import type { AlertOperation } from '../alerts/alert-operation.ts'
import { parseAlertmanagerAlerts } from '../alerts/alertmanager-alerts.ts'
import { invalidBody } from '../alerts/outside-fields.ts'
import { parsePostedAlert } from '../alerts/posted-alert.ts'
import { severities } from '../../store/notification.ts'
import { GatewayError } from '../errors.ts'
import { alert } from './alerting-schemas.ts'
import { operatorOf } from './authorization.ts'
import type { HttpContext } from './context.ts'
import { durableOptions, durably } from './durable.ts'

const text = { type: 'string' }
const texts = { type: 'object', additionalProperties: text }

const posted = {
  type: 'object',
  required: ['action', 'dedupKey'],
  properties: {
    action: { enum: ['trigger', 'acknowledge', 'resolve'] },
    dedupKey: { ...text, description: 'One alert of a rule and a key is open at a time.' },
    rule: { ...text, default: 'api', description: 'What the alert is listed under.' },
    title: { ...text, description: 'A line for people; a trigger needs it.' },
    severity: { enum: severities, default: 'warning' },
    device: text,
    detail: text,
    labels: texts,
    runbook: { ...text, description: 'URL of a page that says what to do.' },
    comment: { ...text, description: 'To acknowledge and resolve with.' }
  }
}

const postable = {
  type: 'object',
  required: ['labels'],
  properties: {
    labels: texts,
    annotations: texts,
    startsAt: { ...text, format: 'date-time' },
    endsAt: { ...text, format: 'date-time' },
    generatorURL: text
  }
}

export function outsideAlertRoutes(app: FastifyInstance, context: HttpContext): void {
  const { alerting, now } = context
  const durable = durableOptions(context)
  const apply = (operations: readonly AlertOperation[], by: { at: number; actor: string }) =>
    durably(durable, () => alerting.external.apply(operations, by))
  // Their parsers say which field is wrong, all of them at once.
  const validatorCompiler = () => () => true

  app.post('/v1/alerts', {
    config: {
      role: 'operator',
      summary: 'Raises, acknowledges or resolves an alert of one’s own.',
      answers: {
        200: {
          description: 'Durable',
          schema: {
            type: 'object',
            properties: {
              alert: { ...alert, type: ['object', 'null'], description: 'null: none was open.' },
              changed: { type: 'boolean' }
            }
          }
        }
      }
    },
    schema: { body: posted },
    validatorCompiler,
    handler: async request => {
      const operation = parsePostedAlert(request.body)
      const [applied] = await apply([operation], { at: now(), actor: operatorOf(request).name })
      if (applied?.ok !== true) throw tooMany()
      return { alert: applied.alert && alertJson(applied.alert), changed: applied.changed }
    }
  })

  app.post('/api/v2/alerts', {
    config: {
      role: 'operator',
      summary: 'Takes alerts as an Alertmanager does.',
      answers: { 200: { description: 'Durable' } }
    },
    schema: { body: { type: 'array', items: postable } },
    validatorCompiler,
    handler: async (request, reply) => {
      const at = now()
      const { operations, problems } = parseAlertmanagerAlerts(request.body, at)
      const applied = await apply(operations, { at, actor: operatorOf(request).name })
      if (problems.length > 0) throw invalidBody(problems)
      if (applied.some(({ ok }) => !ok)) throw tooMany()
      return reply.code(200).send()
    }
  })
}

function tooMany(): GatewayError {
  return new GatewayError('alerts-limit', 'alerting.openMax alerts are open', {
    headers: { 'retry-after': '60' }
  })
}
