// tocsin simulate: a fleet of simulated devices against a server.
import { Command, InvalidArgumentError, Option } from 'commander'
import { Fleet } from '../devices-sim/fleet.ts'
import type { Credentials, Protocol } from '../devices-sim/fleet-plan.ts'
import type { Target } from '../devices-sim/link.ts'
import { Progress } from '../devices-sim/progress.ts'
import { Recorder } from '../devices-sim/recorder.ts'
import { createReport, formatReport } from '../devices-sim/report.ts'
import { configurationOf } from './configuration.ts'
import { CliError } from './errors.ts'
import { loadProfile, readText, systemReason } from './fleet-profile.ts'

interface SimulateOptions {
  profile: string
  devices?: number
  rate?: Rate
  duration?: number
  seed: string
  mqtt?: Target
  tcp?: Target
  protocol: Protocol | 'both'
  tokenFile?: string
  user?: string[]
  ramp: number
  record?: string
  json?: true
  quiet?: true
}

/** Events a second, of the whole fleet or of each device. */
interface Rate {
  eventsPerSecond: number
  each: boolean
}

/** Time given at the end for what waits to be acknowledged. */
const DRAIN_MS = 5000
const DEVICES_MAX = 15_000

/** The `simulate` command. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .option('-p, --profile <name>', 'a profile that comes with Tocsin, or a YAML file', 'building')
    .option(
      '-d, --devices <count>',
      `devices, 1 to ${DEVICES_MAX} (default: as the profile says)`,
      devicesArgument
    )
    .option('-r, --rate <events/s>', 'events a second in all, or of each device: "0.5/device"', rateArgument)
    .option(
      '-t, --duration <time>',
      'end after this time, such as 30s, 5m or 2h (default: at Ctrl-C)',
      timeArgument
    )
    .option('-s, --seed <text>', 'the same seed plays the same run: values, times and faults', '1')
    .option('--mqtt <host:port>', 'where MQTT is served (default: as configured)', targetArgument)
    .option(
      '--tcp <host:port>',
      'where the raw TCP protocol is served (default: as configured)',
      targetArgument
    )
    .addOption(
      new Option('--protocol <protocol>', 'what the devices speak')
        .choices(['mqtt', 'tcp', 'both'])
        .default('both')
    )
    .option('--token-file <file>', 'play registered devices: a file of "id:token" lines')
    .option('--user <id>', 'of the token file, play only this device; repeatable', gather)
    .option('--ramp <devices/s>', 'devices that start in a second', rampArgument, 500)
    .option('--record <file>', 'write each acknowledged event to this file, a line of JSON each')
    .option('--json', 'print the report as JSON')
    .option('--quiet', 'show no progress')
    .addHelpText(
      'after',
      `
Profiles: building (sixty devices of a cold store, with faults), demo (the same in a hurry), load (no faults).
At the end comes a report: what was sent, acknowledged and lost, and how long acknowledgements took.

Examples:
  tocsin simulate
  tocsin simulate --devices 500 --rate 1000 --duration 1m --seed 42
  tocsin simulate --profile load --protocol tcp --devices 5000 --ramp 1000
  tocsin simulate --profile my-fleet.yaml --token-file devices.txt
`
    )
    .action((options: SimulateOptions, command: Command) => simulate(options, command))
}

async function simulate(options: SimulateOptions, command: Command): Promise<void> {
  const profile = loadProfile(options.profile)
  const credentials = loadCredentials(options)
  const { mqtt, tcp } = targetsOf(options, command)
  const count = options.devices ?? (credentials.length > 0 ? credentials.length : profile.count)
  if (credentials.length > 0 && count > credentials.length)
    throw new CliError(
      `--devices ${count} is more than the ${credentials.length} in ${options.tokenFile ?? ''}`,
      2
    )
  const ended = new Ending()
  const recorder = options.record === undefined ? null : openRecorder(options.record, ended)
  const { seed, protocol, ramp: rampPerSecond } = options
  const eventsPerSecond = options.rate ? options.rate.eventsPerSecond * (options.rate.each ? count : 1) : null
  const fleet = new Fleet({
    profile,
    seed,
    count,
    protocol,
    mqtt,
    tcp,
    credentials,
    eventsPerSecond,
    rampPerSecond,
    recorder
  })
  const progress = options.quiet ? null : new Progress(fleet, process.stderr)
  const startedMs = performance.now()
  const cpuBefore = process.cpuUsage()
  fleet.start()
  await ended.first(options.duration)
  const durationS = (performance.now() - startedMs) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  progress?.stop()
  await fleet.stop(DRAIN_MS, ended.hurry)
  recorder?.close()
  ended.close()
  const report = createReport(fleet.statistics, {
    profile: profile.name,
    seed,
    devices: count,
    durationS,
    cpuS: (cpu.user + cpu.system) / 1e6
  })
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : formatReport(report))
  if (ended.error !== null) throw ended.error
  if (report.mqtt.connects + report.tcp.connects === 0) throw new CliError(noneConnected(fleet, mqtt, tcp))
}

function noneConnected(fleet: Fleet, mqtt: Target, tcp: Target): string {
  const { byProtocol } = fleet.statistics
  const reasons = [...byProtocol.mqtt.errors.keys(), ...byProtocol.tcp.errors.keys()]
  const said = reasons.length === 0 ? '' : ` (${[...new Set(reasons)].slice(0, 5).join(', ')})`
  return `No device could connect to ${mqtt.host}:${mqtt.port} (MQTT) or ${tcp.host}:${tcp.port} (TCP)${said}.`
}

/** What ends a run: its duration, a signal, an error. A second signal hurries the end. */
class Ending {
  readonly #asked = new AbortController()
  readonly #hurry = new AbortController()
  error: CliError | null = null
  readonly #onSignal = () => (this.#asked.signal.aborted ? this.#hurry : this.#asked).abort()

  constructor() {
    process.on('SIGINT', this.#onSignal).on('SIGTERM', this.#onSignal)
  }

  /** Aborted when there is no time for a proper end. */
  get hurry(): AbortSignal {
    return this.#hurry.signal
  }

  fail(error: CliError): void {
    this.error ??= error
    this.#asked.abort()
  }

  /** Resolves at the first reason to end. */
  async first(durationMs: number | undefined): Promise<void> {
    const { signal } = this.#asked
    if (signal.aborted) return
    await new Promise<void>(resolve => {
      const timer = durationMs === undefined ? null : setTimeout(resolve, durationMs)
      signal.addEventListener('abort', () => {
        if (timer !== null) clearTimeout(timer)
        resolve()
      })
    })
    this.#asked.abort() // from now on a signal means hurry
  }

  close(): void {
    process.off('SIGINT', this.#onSignal).off('SIGTERM', this.#onSignal)
  }
}

/** The registered devices of a file; ids may hold colons, tokens don't. */
function loadCredentials({ tokenFile, user }: SimulateOptions): Credentials[] {
  if (tokenFile === undefined) {
    if (user !== undefined) throw new CliError('--user chooses from --token-file, which is missing', 2)
    return []
  }
  const text = readText(tokenFile, tokenFile)
  const all = text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const [, id, token] = /^(.+):([^:]+)$/.exec(trimmed) ?? []
    if (id !== undefined && token !== undefined) return [{ id, token }]
    throw new CliError(`${tokenFile}, line ${index + 1}: must be id:token`, 2)
  })
  const chosen = user === undefined ? all : all.filter(({ id }) => user.includes(id))
  if (chosen.length === 0) throw new CliError(`${tokenFile} holds none of the devices that are asked for`, 2)
  return chosen
}

/** The addresses that are given; the configuration is asked only for what is missing. */
function targetsOf({ mqtt, tcp }: SimulateOptions, command: Command): { mqtt: Target; tcp: Target } {
  if (mqtt !== undefined && tcp !== undefined) return { mqtt, tcp }
  const config = configurationOf(command)
  const reachable = ({ host, port }: Target) => ({
    host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
    port
  })
  return { mqtt: mqtt ?? reachable(config.mqtt), tcp: tcp ?? reachable(config.tcp) }
}

function openRecorder(path: string, ended: Ending): Recorder {
  const failed = (error: unknown) =>
    new CliError(`Can't write ${path}: ${systemReason(error)}`, 1, { cause: error })
  try {
    return new Recorder(path, error => ended.fail(failed(error)))
  } catch (error) {
    throw failed(error)
  }
}

function gather(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

function devicesArgument(value: string): number {
  const count = Number(value)
  if (Number.isInteger(count) && count >= 1 && count <= DEVICES_MAX) return count
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${DEVICES_MAX}.`)
}

function rateArgument(value: string): Rate {
  const [, digits, each] = /^(\d+(?:\.\d+)?)(\/device)?$/.exec(value) ?? []
  const eventsPerSecond = Number(digits)
  if (eventsPerSecond > 0 && eventsPerSecond <= 1e6) return { eventsPerSecond, each: each !== undefined }
  throw new InvalidArgumentError('It must be a number such as 1000, or one such as 0.5/device.')
}

function timeArgument(value: string): number | undefined {
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(value) ?? []
  const ms = Number(digits) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit] ?? Number.NaN)
  if (ms >= 0 && ms < 2 ** 31) return ms === 0 ? undefined : ms
  throw new InvalidArgumentError('It must be a time such as 30s, 5m or 2h, at most 596h; 0 is without end.')
}

function targetArgument(value: string): Target {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host !== undefined && port > 0 && port < 65_536) return { host, port }
  throw new InvalidArgumentError('It must be host:port, such as 127.0.0.1:1883.')
}

function rampArgument(value: string): number {
  const perSecond = Number(value)
  if (perSecond > 0 && perSecond <= 100_000) return perSecond
  throw new InvalidArgumentError('It must be a number above 0.')
}
