// tocsin check-config: says everything that is wrong with a configuration, or prints it, or the example file.
import { Command } from 'commander'
import { stringify } from 'yaml'
import { renderExample } from '../config/example.ts'
import { configurationOf } from './configuration.ts'

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
    .action((options: { print?: true; printExample?: true }, command: Command) => {
      if (options.printExample) {
        process.stdout.write(renderExample())
        return
      }
      const config = configurationOf(command)
      process.stdout.write(options.print ? stringify(config) : 'The configuration is good.\n')
    })
}
