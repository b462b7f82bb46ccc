// tocsin channels: who is told by what, how that does, and trying one.
import { Command } from 'commander'
import { configurationOf } from './configuration.ts'
import { CliError } from './errors.ts'
import { clean } from './notification-line.ts'
import { operatorRequests } from './operator-requests.ts'
import type { RemoteOptions } from './operator-requests.ts'
import { remoteCommand } from './remote-command.ts'
import { renderTable } from './table.ts'

/** Time for an answer beyond that for the test itself. */
const ANSWER_MS = 10_000

interface ListedChannel {
  name: string
  type: string
  target: string
  waiting: number
  circuit: string
  lastAttempt: { at: string; outcome: string; detail: string } | null
  failed: { id: string; alerts: string[] }[]
}

/** The `channels` command. */
export function channelsCommand(): Command {
  return new Command('channels')
    .addHelpText(
      'after',
      `
Examples:
  tocsin channels
  tocsin channels test duty
  tocsin channels resend 1k9zv0x2w3e4r-d12
`
    )
    .addCommand(
      remoteCommand('list')
        .description('List channels.')
        .option('--json', 'print one JSON object a line')
        .action(list),
      { isDefault: true }
    )
    .addCommand(
      remoteCommand('test')
        .argument('<name>', 'name of the channel')
        .description('Send a test; exit code 0 if it was sent.')
        .action(async (name: string, options: RemoteOptions, command: Command) => {
          const ask = await operatorRequests(command, options)
          const timeoutMs = 2 * configurationOf(command).delivery.timeoutMs + ANSWER_MS
          const path = `/v1/channels/${encodeURIComponent(name)}/test`
          const { outcome, detail } = (await ask(path, { method: 'POST', body: {}, timeoutMs })) as {
            outcome: string
            detail: string
          }
          if (outcome !== 'sent') throw new CliError(`${name} could not be told: ${clean(detail)}`)
          console.log(`sent: ${clean(detail)}`)
        })
    )
    .addCommand(
      remoteCommand('resend')
        .argument('<delivery...>', 'ids of deliveries that were given up')
        .description('Send deliveries again that were given up.')
        .action(async (ids: string[], options: RemoteOptions, command: Command) => {
          const ask = await operatorRequests(command, options)
          for (const id of ids)
            await ask(`/v1/deliveries/${encodeURIComponent(id)}/resend`, { method: 'POST', body: {} })
        })
    )
}

async function list(options: RemoteOptions & { json?: true }, command: Command): Promise<void> {
  const ask = await operatorRequests(command, options)
  const { items } = (await ask('/v1/channels')) as { items: ListedChannel[] }
  if (options.json) for (const item of items) console.log(JSON.stringify(item))
  else
    process.stdout.write(
      renderTable(
        ['CHANNEL', 'TYPE', 'TARGET', 'WAITING', 'CIRCUIT', 'GIVEN UP', 'LAST ATTEMPT'],
        items.map(({ name, type, target, waiting, circuit, failed, lastAttempt: last }) => [
          name,
          type,
          clean(target),
          String(waiting),
          circuit,
          String(failed.length),
          last === null ? '' : clean(`${last.at} ${last.outcome}: ${last.detail}`)
        ])
      )
    )
}
