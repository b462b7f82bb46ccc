// One notification as one line of a terminal. Pure.
import type { FeedNotification } from './feed-client.ts'

export interface LineStyle {
  colour: boolean
  /** Characters in a line; longer ones are cut. Infinity: never. */
  width: number
}

const colours: Record<string, string> = {
  info: '\u001b[2m',
  warning: '\u001b[33m',
  minor: '\u001b[36m',
  major: '\u001b[35m',
  critical: '\u001b[1;31m'
}
const RESET = '\u001b[0m'
const DIM = '\u001b[2m'
const GREEN = '\u001b[32m'
const YELLOW = '\u001b[33m'

const deliveryColours: Record<string, string> = {
  sent: GREEN,
  failed: YELLOW,
  'gave-up': '\u001b[1;31m',
  suppressed: DIM
}

const widths = { severity: 8, device: 16, kind: 8, what: 44 }

/** Time, severity, device, kind, topic or status, and the payload cut to what is left of the width. */
export function notificationLine(item: FeedNotification, style: LineStyle): string {
  const { what, detail } = subject(item)
  const columns = [
    clock(item.at),
    column(item.severity, widths.severity),
    column(item.device, widths.device),
    column(item.kind, widths.kind),
    detail === '' ? clean(what) : column(what, widths.what)
  ]
  const head = columns.join('  ')
  const tail = clean(detail)
  const whole = tail === '' ? head : `${head}  ${tail}`
  const text = cut(whole, style.width)
  if (!style.colour) return text
  // The colour is that of the severity; times and payloads are of less weight.
  const time = text.slice(0, 12)
  const body = text.slice(12, head.length)
  return `${DIM}${time}${RESET}${coloured(body, item)}${text.length > head.length ? `${DIM}${text.slice(head.length)}${RESET}` : ''}`
}

function coloured(text: string, item: FeedNotification): string {
  const colour = colourOf(item)
  return colour === undefined ? text : `${colour}${text}${RESET}`
}

/** What is well again is green whatever its severity was; what did not reach anybody stands out by how final that is. */
function colourOf(item: FeedNotification): string | undefined {
  const bySeverity = item.severity === 'info' ? undefined : colours[item.severity]
  switch (item.kind) {
    case 'presence':
      return bySeverity ?? (item['status'] === 'online' ? GREEN : YELLOW)
    case 'alert':
      if (item['state'] === 'resolved') return GREEN
      return item['state'] === 'acknowledged' ? DIM : bySeverity
    case 'delivery':
      return deliveryColours[text(item['outcome'])]
    default:
      return bySeverity
  }
}

/** What the notification is about, and the details that may be cut. */
function subject(item: FeedNotification): { what: string; detail: string } {
  switch (item.kind) {
    case 'event':
      return { what: text(item['topic']), detail: payloadText(item['payload']) }
    case 'presence':
      return { what: text(item['status']), detail: text(item['reason']) }
    case 'alert':
      return { what: words(alertWord(item), item['alert'], item['rule']), detail: alertDetail(item) }
    case 'delivery':
      return { what: words(item['outcome'], item['channel'], toldAlerts(item)), detail: deliveryDetail(item) }
    default:
      return { what: '', detail: '' }
  }
}

/** Its state, or what happened to it where that leaves the state as it was. */
function alertWord(item: FeedNotification): string {
  const change = text(item['change'])
  return ['repeated', 'severity', 'flapping'].includes(change) ? change : text(item['state'])
}

/** Title and details, how often where it happened again, and who did it with which words. */
function alertDetail(item: FeedNotification): string {
  const what = [item['title'], item['detail']].map(text).filter(Boolean).join(': ')
  const times = item['change'] === 'repeated' ? `(${text(item['count'])} times)` : ''
  const actor = text(item['actor'])
  const by = [actor === '' ? '' : `by ${actor}`, text(item['comment'])].filter(Boolean).join(': ')
  return [words(what, times), by].filter(Boolean).join(', ')
}

/** The first of the alerts that it is about, and how many others. */
function toldAlerts(item: FeedNotification): string {
  const others = Array.isArray(item['alerts']) ? item['alerts'].length - 1 : 0
  return others > 0 ? `${text(item['alert'])} +${others}` : text(item['alert'])
}

function deliveryDetail(item: FeedNotification): string {
  const attempt = Number(item['attempt'])
  return words(attempt > 1 ? `attempt ${attempt}:` : '', item['detail'])
}

function words(...parts: readonly unknown[]): string {
  return parts.map(text).filter(Boolean).join(' ')
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

function payloadText(payload: unknown): string {
  return typeof payload === 'string' ? payload : (JSON.stringify(payload) ?? '')
}

/** Local time of day with milliseconds. */
function clock(at: number): string {
  const time = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${hours}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

function column(value: string, width: number): string {
  const clear = clean(value)
  return clear.padEnd(width)
}

/** Devices choose these texts: what would steer the terminal is shown as a sign for itself. */
export function clean(value: string): string {
  return value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, sign =>
    sign === '\n' || sign === '\t' || sign === '\r' ? ' ' : '\ufffd'
  )
}

function cut(value: string, width: number): string {
  return value.length <= width ? value : `${value.slice(0, Math.max(1, width - 1))}…`
}
