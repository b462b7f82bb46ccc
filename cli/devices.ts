// tocsin devices: registers devices, gives them tokens, and takes both back.
import { Command } from 'commander'
import { administer, type Administration, type AdministrationOptions } from './administration.ts'
import { configurationOf } from './configuration.ts'
import { remoteCommand } from './remote-command.ts'
import { renderTable } from './table.ts'

/** The `devices` command. */
export function devicesCommand(): Command {
  return new Command('devices')
    .addHelpText(
      'after',
      `
A registered device connects with its id and its token: over MQTT as user name and password, over raw TCP in its hello.
The token is shown once; only its hash is kept. "add" and "rotate" print a line "id:token" for each device.

Examples:
  tocsin devices add freezer-7 freezer-8 > tokens.txt
  tocsin devices list
  tocsin devices rotate freezer-7
  tocsin devices remove freezer-8
`
    )
    .addCommand(
      remoteCommand('add')
        .argument('<id...>', 'ids of the devices')
        .description('Register devices and print their tokens.')
        .action((ids: string[], options: AdministrationOptions, command: Command) =>
          forEach(ids, { ...options, mayMakeFolder: true }, command, async (administration, id) => {
            process.stdout.write(`${id}:${await administration.addDevice(id)}\n`)
          })
        )
    )
    .addCommand(
      remoteCommand('list')
        .description('List registered devices.')
        .option('--json', 'print one JSON object a line')
        .action((options: AdministrationOptions & { json?: true }, command: Command) =>
          list(options, command)
        )
    )
    .addCommand(
      remoteCommand('remove')
        .argument('<id...>', 'ids of the devices')
        .description('Remove devices; those that are connected are cut off.')
        .action((ids: string[], options: AdministrationOptions, command: Command) =>
          forEach(ids, options, command, (administration, id) => administration.removeDevice(id))
        )
    )
    .addCommand(
      remoteCommand('rotate')
        .argument('<id...>', 'ids of the devices')
        .description('Give devices new tokens; those that are connected are cut off.')
        .action((ids: string[], options: AdministrationOptions, command: Command) =>
          forEach(ids, options, command, async (administration, id) => {
            process.stdout.write(`${id}:${await administration.rotateDevice(id)}\n`)
          })
        )
    )
}

function forEach(
  ids: readonly string[],
  options: AdministrationOptions,
  command: Command,
  work: (administration: Administration, id: string) => Promise<void>
): Promise<void> {
  return administer(configurationOf(command), options, async administration => {
    for (const id of ids) await work(administration, id)
  })
}

async function list(options: AdministrationOptions & { json?: true }, command: Command): Promise<void> {
  const devices = await administer(configurationOf(command), options, on => on.listDevices())
  const rows = devices.map(({ id, createdAt }) => ({ id, createdAt: new Date(createdAt).toISOString() }))
  if (options.json) for (const row of rows) console.log(JSON.stringify(row))
  else
    process.stdout.write(
      renderTable(
        ['DEVICE', 'REGISTERED'],
        rows.map(({ id, createdAt }) => [id, createdAt])
      )
    )
}
