// tocsin demo: a server in a temporary folder, a fleet of simulated devices, and what arrives, in one terminal.
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Command } from 'commander'
import { loadConfig } from '../config/config.ts'
import type { Config } from '../config/schema.ts'
import type { Target } from '../devices-sim/link.ts'
import { configurationArguments, describeProblems } from './configuration.ts'
import { consoleLink } from './console-link.ts'
import type { SignInCode } from './console-link.ts'
import type { DemoFleetData, DemoFleetSummary } from './demo-fleet.ts'
import { CliError } from './errors.ts'
import { loadProfile } from './fleet-profile.ts'
import { createLogger } from './logger.ts'
import type { RunningServer } from './serve.ts'
import { settleProcess } from './process-settings.ts'
import { ask } from './server-client.ts'
import { devicesArgument, timeArgument } from './simulate-arguments.ts'
import { SignalEnding } from './signal-ending.ts'
import { tail } from './tail.ts'

interface DemoOptions {
  devices?: number
  duration?: number
  seed: string
  profile: string
  json?: true
}

/** What the demo sets where neither flags nor the environment say otherwise. */
const demoSettings = {
  'log.level': 'error',
  'devices.offlineDelayMs': '5s',
  'http.signInCodeMs': '1h',
  'alerting.file': fileURLToPath(new URL('../../config/demo-alerting.yaml', import.meta.url))
}
const FLEET_END_MS = 4000

/** The `demo` command. */
export function demoCommand(): Command {
  return new Command('demo')
    .option('-p, --profile <name>', 'the fleet: a profile that comes with Tocsin, or a YAML file', 'demo')
    .option('-d, --devices <count>', 'devices (default: as the profile says)', devicesArgument)
    .option('-t, --duration <time>', 'end after this time, such as 30s or 5m; 0: at Ctrl-C', timeArgument)
    .option('-s, --seed <text>', 'the same seed plays the same fleet', '1')
    .option('--json', 'show notifications as JSON, one a line')
    .addHelpText(
      'after',
      `
The data is in a temporary folder that is removed at the end; --store.dir names another, which is kept. Ports that are
taken are replaced by free ones.

Examples:
  tocsin demo
  tocsin demo --devices 500 --duration 1m
  tocsin demo --mqtt.port 1884 --store.dir demo-data
`
    )
    .action((options: DemoOptions, command: Command) => demo(options, command))
}

async function demo(options: DemoOptions, command: Command): Promise<void> {
  const profile = loadProfile(options.profile)
  const count = options.devices ?? profile.count
  await using folder = await demoFolder(command)
  // A second signal ends at once; the folder goes all the same.
  const ending = new SignalEnding(() => {
    folder.removeNow()
    process.exit(130)
  })
  const onOutputError = () => ending.end() // nobody reads any more
  process.stdout.on('error', onOutputError)
  const config = await withFreePorts(folder.config, folder.chosen)
  const failed: { error: Error | null } = { error: null }
  settleProcess()
  const { startServer } = await import('./serve.ts')
  const server = await startServer(config, {
    logger: createLogger({ level: config.log.level, fd: 2 }),
    onFatal: error => {
      failed.error ??= error
      ending.end()
    }
  })
  try {
    const { mqtt, tcp, http } = server.addresses
    if (mqtt === null || tcp === null)
      throw new CliError('The demo needs both mqtt.enabled and tcp.enabled', 2)
    const token = (await readFile(server.adminTokenFile, 'utf8')).trim()
    const notes = options.json ? process.stderr : process.stdout
    const page = config.http.console ? await signInLink(`http://${hostAndPort(http)}`, token) : '-'
    notes.write(header({ server, config, count, folder: folder.path, page }))
    const fleet = startFleet({ profile, count, seed: options.seed, mqtt: target(mqtt), tcp: target(tcp) })
    fleet.failure.catch((error: unknown) => {
      failed.error ??= error instanceof Error ? error : new Error(String(error))
      ending.end()
    })
    if (options.duration !== undefined) setTimeout(() => ending.end(), options.duration).unref()
    const feed = {
      url: `http://${hostAndPort(http)}`,
      token,
      after: folder.temporary ? 'earliest' : null,
      ...(options.json ? { json: options.json } : {})
    }
    await tail(feed, { signal: ending.signal })
    const summary = await fleet.stop()
    if (summary !== null && failed.error === null) notes.write(footer(summary))
  } finally {
    await server.stop()
    ending.close()
    process.stdout.off('error', onOutputError)
    process.stdout.on('error', () => {}) // a late EPIPE is no news
  }
  if (failed.error !== null) throw failed.error
}

/** A link that opens the console as an admin, once. */
async function signInLink(url: string, token: string): Promise<string> {
  const answer = await ask(`${url}/v1/session/codes`, { method: 'POST', token })
  return answer.answered && answer.status === 201 ? consoleLink(url, answer.body as SignInCode) : url
}

interface DemoFolder extends AsyncDisposable {
  path: string
  /** Whether it is removed at the end. */
  temporary: boolean
  config: Config
  /** Settings that were chosen by flag or environment. */
  chosen: ReadonlySet<string>
  removeNow(): void
}

/** The configuration of the demo, with its folder: a temporary one, unless a flag or the environment names another. */
async function demoFolder(command: Command): Promise<DemoFolder> {
  const { file, flags } = configurationArguments(command)
  const environment = {
    'store.dir': 'TOCSIN_STORE__DIR',
    'log.level': 'TOCSIN_LOG__LEVEL',
    'devices.offlineDelayMs': 'TOCSIN_DEVICES__OFFLINE_DELAY_MS',
    'alerting.file': 'TOCSIN_ALERTING__FILE',
    'http.signInCodeMs': 'TOCSIN_HTTP__SIGN_IN_CODE_MS',
    'mqtt.port': 'TOCSIN_MQTT__PORT',
    'tcp.port': 'TOCSIN_TCP__PORT',
    'http.port': 'TOCSIN_HTTP__PORT'
  }
  const chosen = new Set(Object.keys(flags))
  for (const [setting, variable] of Object.entries(environment))
    if (process.env[variable] !== undefined) chosen.add(setting)
  const temporary = chosen.has('store.dir') ? null : await mkdtemp(join(tmpdir(), 'tocsin-demo-'))
  const unchosen = Object.entries(file === undefined ? demoSettings : {}).filter(
    ([name]) => !chosen.has(name)
  )
  const loaded = loadConfig({
    ...(file === undefined ? {} : { file }),
    env: process.env,
    flags: {
      ...Object.fromEntries(unchosen),
      ...(temporary === null ? {} : { 'store.dir': temporary }),
      ...flags
    }
  })
  const removal = { recursive: true, force: true, maxRetries: 3 } as const
  if (!loaded.ok) {
    if (temporary !== null) await rm(temporary, removal)
    throw new CliError(describeProblems(loaded.problems), 2)
  }
  return {
    path: loaded.config.store.dir,
    temporary: temporary !== null,
    config: loaded.config,
    chosen,
    removeNow: () => {
      if (temporary !== null) rmSync(temporary, removal)
    },
    [Symbol.asyncDispose]: async () => {
      if (temporary !== null) await rm(temporary, removal)
    }
  }
}

/** Ports that are taken and that nobody has chosen are left to the system. */
async function withFreePorts(config: Config, chosen: ReadonlySet<string>): Promise<Config> {
  const port = async (section: 'mqtt' | 'tcp' | 'http') => {
    const { host, port: wished } = config[section]
    return chosen.has(`${section}.port`) || (await isFree(host, wished)) ? wished : 0
  }
  return {
    ...config,
    mqtt: { ...config.mqtt, port: await port('mqtt') },
    tcp: { ...config.tcp, port: await port('tcp') },
    http: { ...config.http, port: await port('http') }
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

interface RunningFleet {
  /** Rejects when the fleet's thread fails. Never resolves. */
  failure: Promise<never>
  /** Ends the fleet; what it did, or null when it did not say so in time. */
  stop(): Promise<DemoFleetSummary | null>
}

function startFleet(data: DemoFleetData): RunningFleet {
  const worker = new Worker(new URL('./demo-fleet.js', import.meta.url), { workerData: data })
  const failure = new Promise<never>((_, reject) => worker.once('error', reject))
  const stop = async () => {
    const said = new Promise<DemoFleetSummary | null>(resolve => {
      worker.once('message', resolve)
      worker.once('exit', () => resolve(null))
      setTimeout(() => resolve(null), FLEET_END_MS).unref()
    })
    worker.postMessage('stop')
    const summary = await said
    await worker.terminate()
    return summary
  }
  return { failure, stop }
}

interface HeaderParts {
  server: RunningServer
  config: Config
  count: number
  folder: string
  /** The console's link, or `-`. */
  page: string
}

function header(demo: HeaderParts): string {
  const { mqtt, tcp, http } = demo.server.addresses
  const url = `http://${hostAndPort(http)}`
  const token = `"Authorization: Bearer $(cat ${demo.server.adminTokenFile})"`
  const mqttTarget = target(mqtt ?? http)
  return `Tocsin demo: ${demo.count} simulated devices over MQTT and raw TCP, and what they say, live.

  MQTT     ${mqtt === null ? '-' : hostAndPort(mqtt)}${instead(demo.config.mqtt.port, 1883)}
  raw TCP  ${tcp === null ? '-' : hostAndPort(tcp)}${instead(demo.config.tcp.port, 7883)}
  HTTP     ${url}${instead(demo.config.http.port, 8080)}
  console  ${demo.page}
  data     ${demo.folder}
  rules    ${demo.config.alerting.file || '-'}

Try in another terminal:
  mosquitto_pub -h ${mqttTarget.host} -p ${mqttTarget.port} -q 1 -i kitchen -t home/kitchen -m '{"celsius": 21}'
  curl -H ${token} ${url}/v1/devices/kitchen
  curl -N -H ${token} -H 'Accept: text/event-stream' ${url}/v1/feed
  ${program()} tail --url ${url} --store.dir ${demo.folder} --kind alert

Ctrl-C ends it.

`
}

function footer({ acknowledged, unacknowledged, reconnects }: DemoFleetSummary): string {
  const kept = unacknowledged === 0 ? '' : ` ${unacknowledged} wait in devices that are cut off.`
  return `\n${acknowledged} events were acknowledged. Devices reconnected ${reconnects} times.${kept}\n`
}

function instead(port: number, usual: number): string {
  return port === 0 ? `  (${usual} is taken)` : ''
}

/** How this program is called here: by its name where it is installed, through npx in a clone. */
function program(): string {
  const script = process.argv[1] ?? 'tocsin'
  if (/(^|\/)tocsin$/.test(script)) return 'tocsin'
  return 'npx tocsin'
}

function target({ address, port }: { address: string; port: number }): Target {
  return { host: address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address, port }
}

function hostAndPort(address: { address: string; port: number }): string {
  const { host, port } = target(address)
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
