// The story of an alert as lines for a terminal: when and why it began, who was told or not and why, and how it ended. Pure.
import { clean } from './notification-line.ts'

/** A notification of the story, as HTTP shows it. */
export interface StoryEntry {
  at: number
  kind: string
  [field: string]: unknown
}

/** What `GET /v1/alerts/:id` answers. */
export interface AlertStory {
  alert: {
    id: string
    rule: string
    key: string
    device: string
    state: string
    severity: string
    title: string
    detail: string
    runbook: string
    count: number
    firstAt: string
    lastAt: string
  }
  cause: StoryEntry | null
  causeGone: boolean
  entries: StoryEntry[]
  gone: number
  truncated: boolean
}

/** The lines, without colours. */
export function storyLines({ alert, cause, causeGone, entries, gone, truncated }: AlertStory): string[] {
  const { id, rule, key, state, severity, title, detail, runbook, count, firstAt, lastAt } = alert
  return [
    `${id}  ${severity}  ${state}  ${title}`,
    ...(detail === '' ? [] : [`     ${detail}`]),
    `     rule ${rule}, key ${key}; its condition was met ${count === 1 ? 'once' : `${count} times`}, first ${firstAt}, last ${lastAt}`,
    ...(runbook === '' ? [] : [`     what to do: ${runbook}`]),
    '',
    ...causeLines(cause, causeGone),
    ...(truncated ? ['     … there is more before this, which is not shown'] : []),
    ...(gone > 0 ? [`     … ${gone} entries are no longer kept`] : []),
    ...entries.map(entry => `${time(entry.at)}  ${entryText(entry)}`),
    ...(entries.some(({ kind }) => kind === 'delivery')
      ? []
      : ['     nobody was told: no delivery was intended'])
  ].map(clean)
}

function causeLines(cause: StoryEntry | null, causeGone: boolean): string[] {
  if (causeGone) return ['     what caused it is no longer kept']
  if (cause === null) return []
  const { at, kind } = cause
  const device = String(cause['device'])
  if (kind === 'presence')
    return [`${time(at)}  ${device} was ${String(cause['status'])}: ${String(cause['reason'])}`]
  return [`${time(at)}  ${device} sent ${String(cause['topic'])} ${JSON.stringify(cause['payload'])}`]
}

function entryText(entry: StoryEntry): string {
  return entry.kind === 'delivery' ? deliveryText(entry) : changeText(entry)
}

function changeText(entry: StoryEntry): string {
  const actor = entry['actor'] === undefined ? '' : ` by ${String(entry['actor'])}`
  const comment =
    entry['comment'] === undefined || entry['comment'] === '' ? '' : `: ${String(entry['comment'])}`
  switch (entry['change']) {
    case 'raised':
      return `raised as ${String(entry['severity'])}: ${String(entry['title'])}`
    case 'repeated':
      return `its condition was met again, ${String(entry['count'])} times by now`
    case 'severity':
      return `is ${String(entry['severity'])} now: ${String(entry['title'])}`
    case 'flapping':
      return 'it flaps: it is held open until its condition has been clear for a while'
    default:
      return `${String(entry['change'])}${actor}${comment}`
  }
}

function deliveryText(entry: StoryEntry): string {
  const channel = String(entry['channel'])
  const detail = String(entry['detail'])
  const attempt = String(entry['attempt'])
  switch (entry['outcome']) {
    case 'sent':
      return `told ${channel}, attempt ${attempt}: ${detail}`
    case 'failed':
      return `could not tell ${channel}, attempt ${attempt}: ${detail}`
    case 'gave-up':
      return `gave up telling ${channel}, attempt ${attempt}: ${detail} (to send it again: ${String(entry['delivery'])})`
    default:
      return channel === '' ? `told nobody: ${detail}` : `did not tell ${channel}: ${detail}`
  }
}

function time(at: number): string {
  return new Date(at).toISOString()
}
