// Reads the body of POST /v1/alerts. Pure.
import { severities } from '../../store/notification.ts'
import { DEVICE_BYTES_MAX, isDeviceId } from '../http/posted-events.ts'
import type { AlertOperation } from './alert-operation.ts'
import { OutsideFields } from './outside-fields.ts'

const DEDUP_KEY_CHARS_MAX = 255
const RULE_CHARS_MAX = 128
const TITLE_CHARS_MAX = 500
const TEXT_CHARS_MAX = 8192
const URL_CHARS_MAX = 2048

const common = ['action', 'dedupKey', 'rule'] as const
const ofTrigger = [...common, 'device', 'severity', 'title', 'detail', 'labels', 'runbook'] as const
const ofEnd = [...common, 'comment'] as const

/** What the body asks for; throws `request-invalid` with every problem. */
export function parsePostedAlert(body: unknown): AlertOperation {
  const fields = new OutsideFields(body, 'body')
  fields.check()
  const action = fields.oneOf('action', ['trigger', 'acknowledge', 'resolve'])
  const named = {
    origin: 'api',
    rule: fields.text('rule', { charsMax: RULE_CHARS_MAX, otherwise: 'api' }),
    key: fields.needText('dedupKey', DEDUP_KEY_CHARS_MAX)
  } as const
  if (action === 'acknowledge' || action === 'resolve') {
    fields.known(ofEnd)
    const comment = fields.text('comment', { charsMax: TEXT_CHARS_MAX })
    fields.check()
    return { action, ...named, comment }
  }
  fields.known(ofTrigger)
  const operation: AlertOperation = {
    action: 'trigger',
    ...named,
    device: deviceOf(fields),
    severity: fields.has('severity') ? (fields.oneOf('severity', severities) ?? 'warning') : 'warning',
    title: fields.needText('title', TITLE_CHARS_MAX),
    detail: fields.text('detail', { charsMax: TEXT_CHARS_MAX }),
    labels: fields.labels('labels'),
    runbook: fields.url('runbook', URL_CHARS_MAX),
    endsAt: null
  }
  fields.check()
  return operation
}

function deviceOf(fields: OutsideFields): string {
  const device = fields.text('device', { charsMax: DEVICE_BYTES_MAX })
  if (device !== '' && !isDeviceId(device))
    fields.wrong('device', `must be a text of 1 to ${DEVICE_BYTES_MAX} bytes without control characters`)
  return device
}
