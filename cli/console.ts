// tocsin console: a link that signs a browser in.
import type { Command } from 'commander'
import { configurationOf } from './configuration.ts'
import { consoleLink } from './console-link.ts'
import { CliError } from './errors.ts'
import type { SignInCode } from './console-link.ts'
import { operatorRequests } from './operator-requests.ts'
import type { RemoteOptions } from './operator-requests.ts'
import { remoteCommand } from './remote-command.ts'
import { serverUrl } from './server-client.ts'

/** The `console` command. */
export function consoleCommand(): Command {
  return remoteCommand('console')
    .addHelpText(
      'after',
      `
Whoever opens the link has the rights of the token it was made with: the admin token's, unless --token-file names a file
with another. The link works once, for http.signInCodeMs. It begins with --url, else with http.publicUrl where that is set.

Examples:
  tocsin console
  tocsin console --url https://tocsin.example.org --token-file ada.token
`
    )
    .action(async (options: RemoteOptions, command: Command) => {
      const config = configurationOf(command)
      if (options.url === undefined && !config.http.console)
        throw new CliError('http.console is false: this server has no console', 2)
      const ask = await operatorRequests(command, options)
      const code = (await ask('/v1/session/codes', { method: 'POST' })) as SignInCode
      const base = options.url ?? (config.http.publicUrl || serverUrl(config))
      console.error(`This link signs a browser in once, until ${code.expiresAt}:`)
      process.stdout.write(`${consoleLink(base, code)}\n`)
    })
}
