// tocsin rules: the rules of a server, and what a rule would have raised.
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { CliError } from './errors.ts'
import { clean } from './notification-line.ts'
import { operatorRequests } from './operator-requests.ts'
import type { RemoteOptions } from './operator-requests.ts'
import { remoteCommand } from './remote-command.ts'
import { renderTable } from './table.ts'

/** More than a server takes for one by default. */
const DRY_RUN_TIMEOUT_MS = 300_000

/** What may name a rule; what has a slash is a file. */
const RULE_NAME = /^[\w.-]+$/

interface ListedRule {
  name: string
  type: string
  severity: string
  keys: number
  evaluations: number
  errors: number
  lastError: string | null
  raised: number
  open: number
}

interface DryRun {
  from: string
  to: string
  looked: number
  complete: boolean
  fired: number
  firings: {
    at: string
    clearedAt: string | null
    key: string
    severity: string
    title: string
    count: number
  }[]
  errors: number
  lastError: string | null
}

interface DryRunOptions extends RemoteOptions {
  from: string
  to?: string
  name?: string
  json?: true
}

/** The `rules` command. */
export function rulesCommand(): Command {
  return new Command('rules')
    .addHelpText(
      'after',
      `
Examples:
  tocsin rules
  tocsin rules dry-run new-rule.yaml --from 24h
  tocsin rules dry-run freezer-too-warm --from 24h
  tocsin rules dry-run alerting.yaml --name freezer-too-warm --from 2026-11-01T00:00:00Z --to 24h
`
    )
    .addCommand(
      remoteCommand('list')
        .description('List rules, and how each has done since the server started.')
        .option('--json', 'print one JSON object a line')
        .action(list),
      { isDefault: true }
    )
    .addCommand(
      remoteCommand('dry-run')
        .argument('<rule>', 'a file with YAML of a rule, or of several; or the name of a rule in force')
        .description('Show what a rule would have raised over stored history.')
        .requiredOption('--from <time>', 'from when: RFC 3339, or a duration before now such as 24h')
        .option('--to <time>', 'until when; otherwise now')
        .option('--name <name>', 'which rule, where the file has several')
        .option('--json', 'print it as JSON')
        .action(dryRun)
    )
}

async function list(options: RemoteOptions & { json?: true }, command: Command): Promise<void> {
  const ask = await operatorRequests(command, options)
  const { items } = (await ask('/v1/rules')) as { items: ListedRule[] }
  if (options.json) {
    for (const item of items) console.log(JSON.stringify(item))
    return
  }
  const numbers = ({ open, raised, keys, evaluations, errors }: ListedRule) =>
    [open, raised, keys, evaluations, errors].map(String)
  process.stdout.write(
    renderTable(
      ['RULE', 'TYPE', 'SEVERITY', 'OPEN', 'RAISED', 'KEYS', 'JUDGED', 'ERRORS', 'LAST ERROR'],
      items.map(rule => [rule.name, rule.type, rule.severity, ...numbers(rule), clean(rule.lastError ?? '')])
    )
  )
}

async function dryRun(rule: string, options: DryRunOptions, command: Command): Promise<void> {
  const { from, to } = options
  const wanted = await wantedRule(rule, options.name)
  const ask = await operatorRequests(command, options)
  const body = { ...wanted, from, ...(to !== undefined && { to }) }
  const result = (await ask('/v1/rules/dry-run', {
    method: 'POST',
    body,
    timeoutMs: DRY_RUN_TIMEOUT_MS
  })) as DryRun
  if (options.json) console.log(JSON.stringify(result))
  else process.stdout.write(dryRunText(result))
}

/** What a file holds, or, where there is none of this name, the rule in force that is called so. */
async function wantedRule(rule: string, name?: string): Promise<{ rule?: string; name?: string }> {
  try {
    return { rule: await readFile(rule, 'utf8'), ...(name !== undefined && { name }) }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (missing && RULE_NAME.test(rule) && name === undefined) return { name: rule }
    const reason = missing ? 'there is no such file' : (error as Error).message
    throw new CliError(`${rule} can't be read: ${reason}`, 2, { cause: error })
  }
}

function dryRunText({ from, to, looked, complete, fired, firings, errors, lastError }: DryRun): string {
  const rows = firings.map(({ at, clearedAt, severity, count, key, title }) =>
    [at, clearedAt ?? 'fires', severity, String(count), key, title].map(clean)
  )
  const lines = [
    `From ${from} to ${to}: it would have raised ${fired === 1 ? '1 alert' : `${fired} alerts`}, by ${looked} notifications.`,
    ...(complete
      ? []
      : ['It did not come to the end: alerting.dryRunEventsMax and dryRunTimeoutMs say how far it goes.']),
    ...(errors > 0
      ? [`Its expressions failed ${errors} times, the last time: ${clean(lastError ?? '')}`]
      : []),
    ...(fired > firings.length ? [`The first ${firings.length} are shown.`] : [])
  ]
  const table =
    rows.length === 0 ? '' : renderTable(['RAISED', 'CLEARED', 'SEVERITY', 'COUNT', 'KEY', 'TITLE'], rows)
  return `${lines.join('\n')}\n${table}`
}
