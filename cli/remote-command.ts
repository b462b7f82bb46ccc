// The options of commands that work on a server, or on the store where none runs.
import { Command } from 'commander'

/** A command that takes `--url` and `--token-file`. */
export function remoteCommand(name: string): Command {
  return new Command(name)
    .option('--url <url>', 'the server, e.g. http://10.0.0.5:8080; otherwise http.host and http.port say')
    .option('--token-file <file>', 'file with an admin token; otherwise admin.token in store.dir')
}
