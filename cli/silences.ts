// tocsin silences: keeps alerts from being told for a while.
import { Command, Option } from 'commander'
import { severities } from '../store/notification.ts'
import { CliError } from './errors.ts'
import { clean } from './notification-line.ts'
import { operatorRequests } from './operator-requests.ts'
import type { RemoteOptions } from './operator-requests.ts'
import { remoteCommand } from './remote-command.ts'
import { renderTable } from './table.ts'

interface ListedSilence {
  id: string
  state: string
  match: unknown
  from: string
  until: string
  comment: string
  author: string
}

interface AddOptions extends RemoteOptions {
  rule?: string[]
  device?: string[]
  key?: string[]
  topic?: string[]
  label?: string[]
  severityMin?: string
  for?: string
  until?: string
  from?: string
  comment?: string
}

/** The `silences` command. */
export function silencesCommand(): Command {
  return new Command('silences')
    .addHelpText(
      'after',
      `
Examples:
  tocsin silences
  tocsin silences add --device 'freezer-*' --for 2h --comment defrosting
  tocsin silences end s3
`
    )
    .addCommand(
      remoteCommand('list')
        .description('List silences.')
        .option('--json', 'print one JSON object a line')
        .action(list),
      { isDefault: true }
    )
    .addCommand(
      remoteCommand('add')
        .description('Add a silence. All that is given must hold of an alert; * stands for any text.')
        .option('--rule <glob...>', 'rules')
        .option('--device <glob...>', 'devices')
        .option('--key <glob...>', 'keys')
        .option('--topic <filter...>', 'topic filters')
        .option('--label <name=glob...>', 'labels')
        .addOption(new Option('--severity-min <severity>', 'at least this severity').choices(severities))
        .option('--for <duration>', 'how long, such as 2h')
        .option('--until <time>', 'in place of --for: until when, RFC 3339')
        .option('--from <time>', 'from when, RFC 3339; otherwise from now')
        .option('--comment <text>', 'why')
        .action(add)
    )
    .addCommand(
      remoteCommand('end')
        .argument('<id...>', 'ids of the silences')
        .description('End silences now.')
        .action(async (ids: string[], options: RemoteOptions, command: Command) => {
          const ask = await operatorRequests(command, options)
          for (const id of ids) await ask(`/v1/silences/${encodeURIComponent(id)}`, { method: 'DELETE' })
        })
    )
}

async function add(options: AddOptions, command: Command): Promise<void> {
  const { rule, device, key, topic, label, severityMin, until, from, comment } = options
  const match = {
    ...(rule && { rules: rule }),
    ...(device && { devices: device }),
    ...(key && { keys: key }),
    ...(topic && { topics: topic }),
    ...(label && { labels: Object.fromEntries(label.map(labelOf)) }),
    ...(severityMin !== undefined && { severityMin })
  }
  if (Object.keys(match).length === 0)
    throw new CliError(
      'say what is to be silent: --device, --rule, --key, --topic, --label or --severity-min',
      2
    )
  if ((options.for === undefined) === (until === undefined))
    throw new CliError('say how long: either --for or --until', 2)
  const ask = await operatorRequests(command, options)
  const body = {
    match,
    ...(options.for !== undefined && { for: options.for }),
    ...(until !== undefined && { until }),
    ...(from !== undefined && { from }),
    ...(comment !== undefined && { comment })
  }
  const silence = (await ask('/v1/silences', { method: 'POST', body })) as ListedSilence
  console.log(`${silence.id} until ${silence.until}`)
}

function labelOf(text: string): [name: string, glob: string] {
  const [, name, glob] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || glob === undefined)
    throw new CliError(`--label: "${text}" is not a name and a text, such as site=hall`, 2)
  return [name, glob]
}

async function list(options: RemoteOptions & { json?: true }, command: Command): Promise<void> {
  const ask = await operatorRequests(command, options)
  const { items } = (await ask('/v1/silences')) as { items: ListedSilence[] }
  if (options.json) for (const item of items) console.log(JSON.stringify(item))
  else
    process.stdout.write(
      renderTable(
        ['SILENCE', 'STATE', 'FROM', 'UNTIL', 'AUTHOR', 'MATCH', 'COMMENT'],
        items.map(({ id, state, from, until, author, match, comment }) =>
          [id, state, from, until, author, JSON.stringify(match), comment].map(clean)
        )
      )
    )
}
