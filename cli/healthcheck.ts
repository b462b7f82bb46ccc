// tocsin healthcheck: whether a server lives and can take work, as an exit code.
import { Command } from 'commander'
import { configurationOf } from './configuration.ts'
import { CliError } from './errors.ts'
import { ask, problemText, serverUrl } from './server-client.ts'

/** The `healthcheck` command. */
export function healthcheckCommand(): Command {
  return new Command('healthcheck')
    .option('--live', 'ask only whether it lives (/healthz), not whether it can take work (/readyz)')
    .option('--url <url>', 'the server, e.g. http://127.0.0.1:8080; otherwise http.host and http.port say')
    .addHelpText(
      'after',
      `
Examples:
  tocsin healthcheck
  tocsin healthcheck --live --url http://127.0.0.1:8080
`
    )
    .action(async (options: { live?: true; url?: string }, command: Command) => {
      const base = options.url ?? serverUrl(configurationOf(command))
      const answer = await ask(`${base}/${options.live ? 'healthz' : 'readyz'}`)
      if (!answer.answered) throw new CliError(`${base} does not answer: ${answer.reason}`)
      if (answer.status !== 200) throw new CliError(`${base} is not ready: ${problemText(answer)}`)
      console.log(options.live ? 'It lives.' : 'It is ready.')
    })
}
