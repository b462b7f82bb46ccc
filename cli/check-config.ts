// tocsin check-config: says everything that is wrong with a configuration, or prints it, or the example file.
import { Command } from 'commander'
import { stringify } from 'yaml'
import { renderExample } from '../config/example.ts'
import { readAlertingSource } from '../config/alerting-source.ts'
import { configurationOf } from './configuration.ts'
import { CliError } from './errors.ts'

/** The `check-config` command. */
export function checkConfigCommand(): Command {
  return new Command('check-config')
    .option('--print', 'print the configuration that results, as YAML')
    .option('--print-example', 'print every setting with its default, as YAML, and check nothing')
    .addHelpText(
      'after',
      `
Examples:
  tocsin check-config --config tocsin.yaml
  TOCSIN_HTTP__PORT=9090 tocsin check-config --print
  tocsin check-config --print-example > tocsin.yaml
`
    )
    .action(async (options: { print?: true; printExample?: true }, command: Command) => {
      if (options.printExample) {
        process.stdout.write(renderExample())
        return
      }
      const config = configurationOf(command)
      await checkAlertingFile(config.alerting.file)
      process.stdout.write(options.print ? stringify(config) : 'The configuration is good.\n')
    })
}

/** A `CliError` with every problem of the alerting file. Secrets and modules are not looked at: they are where it is served. */
async function checkAlertingFile(file: string): Promise<void> {
  if (file === '') return
  const read = readAlertingSource(file)
  if (!read.ok) throw new CliError(`alerting.file: ${file} ${read.message}`, 2)
  const { parseAlertingFile } = await import('../gateway/alerting/alerting-file.ts')
  const { problems } = parseAlertingFile(read.source.text)
  if (problems.length === 0) return
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  const lines = problems.map(({ line, message }) => `  ${file}, line ${line}: ${message}`)
  throw new CliError([`The alerting file has ${count}:`, ...lines].join('\n'), 2)
}
