// How the commands of operators ask a running server.
import type { Command } from 'commander'
import { configurationOf } from './configuration.ts'
import { adminTokenFile } from './admin-token.ts'
import { CliError } from './errors.ts'
import { ask, operatorToken, problemText, serverUrl } from './server-client.ts'

export interface RemoteOptions {
  /** A server elsewhere. */
  url?: string
  tokenFile?: string
}

export interface OperatorRequest {
  method?: string
  body?: unknown
  /** Time for the answer; default: 10 s. */
  timeoutMs?: number
}

/** Asks the server of the configuration and returns the body of its answer; anything else is a `CliError`. */
export type AskServer = (path: string, request?: OperatorRequest) => Promise<unknown>

/** For the options of a command that `remoteCommand` made. */
export async function operatorRequests(
  command: Command,
  { url, tokenFile }: RemoteOptions
): Promise<AskServer> {
  const config = configurationOf(command)
  const base = (url ?? serverUrl(config)).replace(/\/+$/, '')
  const token = await operatorToken(config, tokenFile)
  if (token === null)
    throw new CliError(
      `there is no token in ${adminTokenFile(config.store.dir)}; --token-file names another file`
    )
  return async (path, request = {}) => {
    const answer = await ask(base + path, { ...request, token })
    if (!answer.answered) throw new CliError(`${base} does not answer: ${answer.reason}`)
    if (answer.status >= 300) throw new CliError(problemsOf(answer))
    return answer.body
  }
}

/** The server's sentence, or the problems of a file, a line each. */
function problemsOf(answer: { status: number; body: unknown }): string {
  const { problems } = (answer.body ?? {}) as { problems?: { line: number; message: string }[] }
  if (!Array.isArray(problems)) return `the server refused: ${problemText(answer)}`
  return ['the server refused:', ...problems.map(({ line, message }) => `  line ${line}: ${message}`)].join(
    '\n'
  )
}
