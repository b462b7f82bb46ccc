// tocsin tokens: creates, lists and revokes the tokens of operators.
import { Command, Option } from 'commander'
import { roles, type Role } from '../store/store.ts'
import { administer, type AdministrationOptions } from './administration.ts'
import { configurationOf } from './configuration.ts'
import { remoteCommand } from './remote-command.ts'
import { renderTable } from './table.ts'

/** The `tokens` command. */
export function tokensCommand(): Command {
  return new Command('tokens')
    .addHelpText(
      'after',
      `
A viewer reads; an operator may also send events; an admin may also register devices and tokens.
The token is shown once; only its hash is kept.

Examples:
  tocsin tokens create --role viewer --name dashboard
  tocsin tokens list
  tocsin tokens revoke x3dk20Aq
`
    )
    .addCommand(
      remoteCommand('create')
        .description('Create a token and print it.')
        .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('viewer'))
        .option('--name <name>', 'what it is for', 'unnamed')
        .action(create)
    )
    .addCommand(
      remoteCommand('list')
        .description('List tokens.')
        .option('--json', 'print one JSON object a line')
        .action(list)
    )
    .addCommand(
      remoteCommand('revoke')
        .argument('<id...>', 'ids of the tokens')
        .description('Revoke tokens.')
        .action(revoke)
    )
}

async function create(
  options: AdministrationOptions & { role: Role; name: string },
  command: Command
): Promise<void> {
  const { role, name } = options
  const { id, token } = await administer(configurationOf(command), { ...options, mayMakeFolder: true }, on =>
    on.createToken(role, name)
  )
  console.error(`Token ${id} (${role}):`)
  process.stdout.write(`${token}\n`)
}

async function list(options: AdministrationOptions & { json?: true }, command: Command): Promise<void> {
  const tokens = await administer(configurationOf(command), options, on => on.listTokens())
  const rows = tokens.map(({ createdAt, ...rest }) => ({
    ...rest,
    createdAt: new Date(createdAt).toISOString()
  }))
  if (options.json) for (const row of rows) console.log(JSON.stringify(row))
  else
    process.stdout.write(
      renderTable(
        ['TOKEN', 'ROLE', 'CREATED', 'NAME'],
        rows.map(({ id, role, createdAt, name }) => [id, role, createdAt, name])
      )
    )
}

async function revoke(ids: string[], options: AdministrationOptions, command: Command): Promise<void> {
  await administer(configurationOf(command), options, async on => {
    for (const id of ids) await on.revokeToken(id)
  })
}
