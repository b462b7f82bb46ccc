// tocsin tail: the live feed in the terminal.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { kinds, severities } from '../store/notification.ts'
import { configurationOf } from './configuration.ts'
import { CliError } from './errors.ts'
import { followFeed, type FeedFilter, type FeedNotification } from './feed-client.ts'
import { systemReason } from './fleet-profile.ts'
import { notificationLine, type LineStyle } from './notification-line.ts'
import { gather } from './simulate-arguments.ts'

interface TailOptions {
  url?: string
  token?: string
  tokenFile?: string
  topic?: string[]
  kind?: string[]
  device?: string[]
  severityMin?: string
  after?: string | null
  count?: number
  json?: true
}

/** The `tail` command. */
export function tailCommand(): Command {
  return new Command('tail')
    .option('-u, --url <url>', 'the server, such as http://127.0.0.1:8080 (default: as configured)')
    .option('--token <token>', "an operator's token; others on this machine may see it: prefer --token-file")
    .option('--token-file <file>', 'a file with the token (default: admin.token in store.dir)')
    .option('-t, --topic <filter>', 'only events whose topic matches this MQTT filter; repeatable', gather)
    .addOption(
      new Option('-k, --kind <kind>', 'only this kind; repeatable')
        .choices([...kinds])
        .argParser(kindArgument)
    )
    .option('-d, --device <id>', 'only this device; repeatable', gather)
    .addOption(
      new Option('-s, --severity-min <severity>', 'only this severity and above').choices([...severities])
    )
    .option('-a, --after <cursor>', 'begin after this cursor, or with "earliest" (default: now)')
    .option('-n, --count <count>', 'end after this many notifications', countArgument)
    .option('--json', 'one notification a line, as JSON')
    .addHelpText(
      'after',
      `
It comes back by itself when the connection is lost, and goes on where it was. Colours show severities; NO_COLOR
turns them off.

Examples:
  tocsin tail
  tocsin tail --topic 'site/+/freezer/#' --severity-min warning
  tocsin tail --kind presence --json | jq .device
  tocsin tail --after earliest -n 100
`
    )
    .action(async (options: TailOptions, command: Command) => {
      const { url, token } = connectionOf(options, command)
      await tail({ ...options, url, token })
    })
}

/** Shows the feed on stdout until Ctrl-C, a closed pipe or the count. */
export async function tail(
  options: TailOptions & { url: string; token: string },
  { signal: stop }: { signal?: AbortSignal } = {}
): Promise<void> {
  const ended = new AbortController()
  const end = () => ended.abort()
  process.on('SIGINT', end).on('SIGTERM', end)
  stop?.addEventListener('abort', end, { once: true })
  if (stop?.aborted === true) end()
  let broken: NodeJS.ErrnoException | null = null
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') broken = error
    end()
  }
  process.stdout.on('error', onError)
  let left = options.count ?? Infinity
  try {
    await followFeed(
      {
        url: options.url,
        token: options.token,
        filter: filterOf(options),
        after: options.after ?? null,
        onNotice: notice => process.stderr.write(`tocsin: ${notice}\n`),
        onItems: async items => {
          const shown = items.slice(0, left)
          left -= shown.length
          await write(shown, options.json === true, ended.signal)
          if (left <= 0) end()
        }
      },
      ended.signal
    )
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
    process.stdout.off('error', onError)
    stop?.removeEventListener('abort', end)
    process.stdout.on('error', () => {}) // a late EPIPE is no news
  }
  if (broken !== null) throw new CliError(`Can't write the output: ${String(broken)}`)
}

/** Writes the items, and waits for the reader of stdout where it is slow. */
async function write(items: readonly FeedNotification[], json: boolean, signal: AbortSignal): Promise<void> {
  const style = lineStyle()
  const text = items.map(item => `${json ? JSON.stringify(item) : notificationLine(item, style)}\n`).join('')
  if (text === '' || process.stdout.write(text)) return
  await new Promise<void>(resolve => {
    const done = () => {
      process.stdout.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    process.stdout.once('drain', done)
    signal.addEventListener('abort', done, { once: true })
  })
}

/** Colours and width of this terminal; plain, whole lines elsewhere. */
function lineStyle(): LineStyle {
  const { isTTY, columns } = process.stdout
  const colour = isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'
  return { colour, width: isTTY && columns > 0 ? Math.max(40, columns) : Infinity }
}

/** Undefined options are left out: the server takes an absent condition for none. */
function filterOf(options: TailOptions): FeedFilter {
  return {
    ...(options.topic ? { topics: options.topic } : {}),
    ...(options.kind ? { kinds: options.kind } : {}),
    ...(options.device ? { devices: options.device } : {}),
    ...(options.severityMin ? { severityMin: options.severityMin } : {})
  }
}

/** Where the server is and what opens it; the configuration is asked only for what the options leave open. */
function connectionOf(options: TailOptions, command: Command): { url: string; token: string } {
  const url = options.url === undefined ? configuredUrl(command) : checkedUrl(options.url)
  if (options.token !== undefined) return { url, token: options.token }
  const file = options.tokenFile ?? join(configurationOf(command).store.dir, 'admin.token')
  try {
    return { url, token: readFileSync(file, 'utf8').trim() }
  } catch (error) {
    const advice =
      options.tokenFile === undefined
        ? ' The server writes it there when it first starts; give its --store.dir, a --token-file or a --token.'
        : ''
    throw new CliError(`Can't read a token from ${file}: ${systemReason(error)}.${advice}`, 2, {
      cause: error
    })
  }
}

function configuredUrl(command: Command): string {
  const { host, port } = configurationOf(command).http
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

function checkedUrl(text: string): string {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : null
  if (url !== null && /^(http|ws)s?:$/.test(url.protocol)) return full.replace(/^ws/, 'http')
  throw new CliError(`--url: "${text}" is no address such as http://127.0.0.1:8080`, 2)
}

function kindArgument(value: string, before: string[] | undefined): string[] {
  if (!kinds.some(kind => kind === value)) throw new InvalidArgumentError(`Kinds are ${kinds.join(', ')}.`)
  return gather(value, before)
}

function countArgument(value: string): number {
  const count = Number(value)
  if (Number.isInteger(count) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number above 0.')
}
