// The `tocsin` program: its commands, loaded when they are called, and what becomes of their errors.
import { Command, CommanderError } from 'commander'
import { settingFlagsOption, takeSettingFlags } from './configuration.ts'
import { CliError } from './errors.ts'
import { packageVersion } from './version.ts'

interface Entry {
  description: string
  load: () => Promise<Command>
}

/** The commands in the order of the help. Each file is loaded only for its own command. */
const commands: Record<string, Entry> = {
  serve: {
    description: 'Serve devices and operators until SIGTERM or Ctrl-C.',
    load: async () => (await import('./serve-command.ts')).serveCommand()
  },
  demo: {
    description: 'Serve in a temporary folder with a simulated fleet, and show what arrives.',
    load: async () => (await import('./demo.ts')).demoCommand()
  },
  simulate: {
    description: 'Run a fleet of simulated devices against a server.',
    load: async () => (await import('./simulate.ts')).simulateCommand()
  },
  tail: {
    description: 'Show notifications as they arrive.',
    load: async () => (await import('./tail.ts')).tailCommand()
  },
  console: {
    description: 'Print a link that signs a browser in at the console.',
    load: async () => (await import('./console.ts')).consoleCommand()
  },
  alerts: {
    description: 'List alerts, acknowledge and resolve them.',
    load: async () => (await import('./alerts.ts')).alertsCommand()
  },
  explain: {
    description: 'Show why there was an alert, and who was told.',
    load: async () => (await import('./explain.ts')).explainCommand()
  },
  silences: {
    description: 'Keep alerts from being told for a while.',
    load: async () => (await import('./silences.ts')).silencesCommand()
  },
  rules: {
    description: 'List rules, or show what one would have raised.',
    load: async () => (await import('./rules.ts')).rulesCommand()
  },
  channels: {
    description: 'List channels, or send a test.',
    load: async () => (await import('./channels.ts')).channelsCommand()
  },
  reload: {
    description: 'Let a server read its alerting file again.',
    load: async () => (await import('./reload.ts')).reloadCommand()
  },
  devices: {
    description: 'Register devices and give them tokens.',
    load: async () => (await import('./devices.ts')).devicesCommand()
  },
  tokens: {
    description: 'Create and revoke tokens of operators.',
    load: async () => (await import('./tokens.ts')).tokensCommand()
  },
  'check-config': {
    description: 'Check the configuration and say everything that is wrong with it.',
    load: async () => (await import('./check-config.ts')).checkConfigCommand()
  },
  healthcheck: {
    description: 'Ask a server whether it can take work; exit code 0 if it can.',
    load: async () => (await import('./healthcheck.ts')).healthcheckCommand()
  }
}

const help = `
Settings:
  Every command takes --config FILE and --SECTION.KEY VALUE for every setting; the environment overrides the file
  (TOCSIN_MQTT__PORT), and flags override both. "tocsin check-config --print-example" prints all settings.

Examples:
  tocsin demo
  tocsin serve --store.dir /var/lib/tocsin --mqtt.port 1884
  tocsin devices add freezer-7
  tocsin tail --topic 'site/+/freezer/#' --severity-min warning

Exit codes: 0 it worked, 1 it failed, 2 it was called in a wrong way or the configuration is wrong.
`

/** Runs one command line and sets the process's exit code. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const { flags, rest } = takeSettingFlags(argv)
  try {
    const program = await buildProgram(rest.find(arg => Object.hasOwn(commands, arg)) ?? null)
    program.setOptionValue(settingFlagsOption, flags)
    await program.parseAsync(rest, { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** The program with all commands, of which only the one that is called is loaded. */
async function buildProgram(called: string | null): Promise<Command> {
  const program = new Command('tocsin')
    .description('IoT notification backend: MQTT and raw TCP in, one durable log, live notifications out.')
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .option('--config <file>', 'Read settings from this YAML file. [env: TOCSIN_CONFIG]')
    .helpOption('-h, --help', 'Show this help.')
    .helpCommand('help [command]', 'Show the help of a command.')
    .addHelpText('after', help)
    .showHelpAfterError('(Add --help to see how it is called.)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
  for (const [name, { description, load }] of Object.entries(commands)) {
    const command = name === called ? await load() : new Command(name)
    inherit(command.description(description), program)
    program.addCommand(command)
  }
  return program
}

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent).helpOption('-h, --help', 'Show this help.')
  for (const below of command.commands) inherit(below, command)
}

/** Says what went wrong; the exit code. Only what nobody foresaw comes with a stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // commander has said it already
  if (error instanceof CliError) {
    console.error(`tocsin: ${error.message}`)
    return error.exitCode
  }
  console.error(error)
  return 1
}
