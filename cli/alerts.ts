// tocsin alerts: what is wrong, and acting on it.
import { Command, InvalidArgumentError, Option } from 'commander'
import { severities } from '../store/notification.ts'
import { clean } from './notification-line.ts'
import { operatorRequests } from './operator-requests.ts'
import type { RemoteOptions } from './operator-requests.ts'
import { remoteCommand } from './remote-command.ts'
import { renderTable } from './table.ts'

interface ListedAlert {
  id: string
  rule: string
  key: string
  state: string
  severity: string
  title: string
  count: number
  firstAt: string
}

interface ListOptions extends RemoteOptions {
  all?: true
  rule?: string[]
  device?: string[]
  severityMin?: string
  limit: number
  json?: true
}

/** The `alerts` command. */
export function alertsCommand(): Command {
  return new Command('alerts')
    .addHelpText(
      'after',
      `
Examples:
  tocsin alerts
  tocsin alerts list --all --rule freezer-too-warm
  tocsin alerts acknowledge a17 --comment 'on my way'
  tocsin explain a17
`
    )
    .addCommand(
      remoteCommand('list')
        .description('List open alerts, newest first.')
        .option('--all', 'resolved ones too')
        .option('--rule <name...>', 'of these rules')
        .option('--device <id...>', 'of these devices')
        .addOption(new Option('--severity-min <severity>', 'of at least this severity').choices(severities))
        .option('--limit <count>', 'at most so many', count, 100)
        .option('--json', 'print one JSON object a line')
        .action(list),
      { isDefault: true }
    )
    .addCommand(act('acknowledge', 'Say that somebody takes care: nobody is told again but of the end.'))
    .addCommand(act('resolve', 'End alerts by hand.'))
}

function act(name: 'acknowledge' | 'resolve', description: string): Command {
  return remoteCommand(name)
    .argument('<id...>', 'ids of the alerts')
    .description(description)
    .option('--comment <text>', 'what there is to say')
    .action(async (ids: string[], options: RemoteOptions & { comment?: string }, command: Command) => {
      const ask = await operatorRequests(command, options)
      const body = options.comment === undefined ? {} : { comment: options.comment }
      for (const id of ids) {
        const alert = await ask(`/v1/alerts/${encodeURIComponent(id)}/${name}`, { method: 'POST', body })
        const { title, state } = alert as ListedAlert
        console.log(`${id} is ${state}: ${clean(title)}`)
      }
    })
}

async function list(options: ListOptions, command: Command): Promise<void> {
  const ask = await operatorRequests(command, options)
  const query = new URLSearchParams({ limit: String(options.limit) })
  if (!options.all) for (const state of ['firing', 'acknowledged']) query.append('states', state)
  for (const rule of options.rule ?? []) query.append('rules', rule)
  for (const device of options.device ?? []) query.append('devices', device)
  if (options.severityMin !== undefined) query.set('severityMin', options.severityMin)
  const { items, next } = (await ask(`/v1/alerts?${query}`)) as { items: ListedAlert[]; next: string | null }
  if (options.json) {
    for (const item of items) console.log(JSON.stringify(item))
    return
  }
  if (items.length === 0) {
    console.log(options.all ? 'There are no alerts.' : 'No alert is open.')
    return
  }
  const rows = items.map(({ id, severity, state, firstAt, count: times, rule, key, title }) =>
    [id, severity, state, firstAt, String(times), rule, key, title].map(clean)
  )
  process.stdout.write(
    renderTable(['ALERT', 'SEVERITY', 'STATE', 'SINCE', 'COUNT', 'RULE', 'KEY', 'TITLE'], rows)
  )
  if (next !== null) console.log(`There are more; --limit says how many are shown.`)
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000)
    throw new InvalidArgumentError('It must be a whole number from 1 to 1000.')
  return value
}
