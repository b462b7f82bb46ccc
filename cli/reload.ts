// tocsin reload: lets a server read its alerting file again.
import type { Command } from 'commander'
import { operatorRequests } from './operator-requests.ts'
import type { RemoteOptions } from './operator-requests.ts'
import { remoteCommand } from './remote-command.ts'

/** The `reload` command. */
export function reloadCommand(): Command {
  return remoteCommand('reload')
    .addHelpText(
      'after',
      '\nA file with problems changes nothing; the problems are shown with their lines.\n'
    )
    .action(async (options: RemoteOptions, command: Command) => {
      const ask = await operatorRequests(command, options)
      const counts = (await ask('/v1/reload', { method: 'POST', body: {} })) as Record<string, number>
      const [rules, handlers, channels, routes] = ['rule', 'handler', 'channel', 'route'].map(name => {
        const count = counts[`${name}s`] ?? 0
        return count === 1 ? `1 ${name}` : `${count} ${name}s`
      })
      console.log(`In force: ${rules}, ${handlers}, ${channels} and ${routes}.`)
    })
}
