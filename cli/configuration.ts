// How every command gets its configuration: --config FILE, the environment, and --section.key flags.
import type { Command } from 'commander'
import { loadConfig, type Problem } from '../config/config.ts'
import type { Config } from '../config/schema.ts'
import { CliError } from './errors.ts'

/** Where the program keeps the setting flags it took off the command line, as an option of the root command. */
export const settingFlagsOption = 'settingFlags'

/** What a command line says about the configuration. */
export interface ConfigurationArguments {
  file: string | undefined
  flags: Record<string, string>
}

/**
 * Takes `--section.key value` and `--section.key=value` out of the arguments, whatever the section and key: commander
 * then sees the rest, and what is no setting is reported with the other problems of the configuration.
 */
export function takeSettingFlags(args: readonly string[]): { flags: Record<string, string>; rest: string[] } {
  const flags: Record<string, string> = {}
  const rest: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? ''
    if (arg === '--') return { flags, rest: [...rest, ...args.slice(index)] }
    const [, path, given] = /^--([A-Za-z]\w*\.[\w.]+)(?:=(.*))?$/s.exec(arg) ?? []
    if (path === undefined) {
      rest.push(arg)
      continue
    }
    const next = args[index + 1]
    if (given !== undefined) flags[path] = given
    else if (next === undefined || next.startsWith('--'))
      flags[path] = 'true' // --devices.anonymous; others refuse it
    else {
      flags[path] = next
      index++
    }
  }
  return { flags, rest }
}

/** What the command line of this command says about the configuration. `TOCSIN_CONFIG` names the file where no flag does. */
export function configurationArguments(command: Command): ConfigurationArguments {
  const options = command.optsWithGlobals<{
    config?: string
    [settingFlagsOption]?: Record<string, string>
  }>()
  return { file: options.config ?? process.env['TOCSIN_CONFIG'], flags: options[settingFlagsOption] ?? {} }
}

/** The configuration of a command; throws a `CliError` that lists every problem. */
export function configurationOf(command: Command): Config {
  const { file, flags } = configurationArguments(command)
  const loaded = loadConfig({ ...(file === undefined ? {} : { file }), env: process.env, flags })
  if (loaded.ok) return loaded.config
  throw new CliError(describeProblems(loaded.problems), 2)
}

/** The problems, one a line, with where each was written. */
export function describeProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  const lines = problems.map(({ path, message, where }) => {
    const name = path === '' || path === where || `--${path}` === where ? where : `${path} (${where})`
    return `  ${name}: ${message}`
  })
  return `The configuration has ${count}:\n${lines.join('\n')}`
}
