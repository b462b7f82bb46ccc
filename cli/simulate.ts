// tocsin simulate: a fleet of simulated devices against a server.
import { once } from 'node:events'
import { Command, Option } from 'commander'
import { Fleet } from '../devices-sim/fleet.ts'
import type { Credentials, Protocol } from '../devices-sim/fleet-plan.ts'
import type { Target } from '../devices-sim/link.ts'
import { Progress } from '../devices-sim/progress.ts'
import { Recorder } from '../devices-sim/recorder.ts'
import { createReport, formatReport } from '../devices-sim/report.ts'
import { configurationOf } from './configuration.ts'
import { CliError } from './errors.ts'
import { loadProfile, readText, systemReason } from './fleet-profile.ts'
import { SignalEnding } from './signal-ending.ts'
import {
  DEVICES_MAX,
  devicesArgument,
  gather,
  rampArgument,
  rateArgument,
  targetArgument,
  timeArgument,
  type Rate
} from './simulate-arguments.ts'

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

/** Time given at the end for what waits to be acknowledged. */
const DRAIN_MS = 5000

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
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {}) // a closed pipe: nobody listens
  const hurry = new AbortController()
  const ending = new SignalEnding(() => hurry.abort())
  const failed: { error: CliError | null } = { error: null }
  const recorder =
    options.record === undefined
      ? null
      : openRecorder(options.record, error => {
          failed.error = error
          ending.end()
        })
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
  const timer = options.duration === undefined ? null : setTimeout(() => ending.end(), options.duration)
  if (!ending.signal.aborted) await once(ending.signal, 'abort')
  if (timer !== null) clearTimeout(timer)
  const durationS = (performance.now() - startedMs) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  progress?.stop()
  const connected = fleet.statistics.total(each => each.connects) > 0
  await fleet.stop(connected ? DRAIN_MS : 0, hurry.signal)
  recorder?.close()
  ending.close()
  const report = createReport(fleet.statistics, {
    profile: profile.name,
    seed,
    devices: count,
    durationS,
    cpuS: (cpu.user + cpu.system) / 1e6
  })
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : formatReport(report))
  if (failed.error !== null) throw failed.error
  if (!connected) throw new CliError(noneConnected(fleet, mqtt, tcp))
}

function noneConnected(fleet: Fleet, mqtt: Target, tcp: Target): string {
  const { byProtocol } = fleet.statistics
  const reasons = [...byProtocol.mqtt.errors.keys(), ...byProtocol.tcp.errors.keys()]
  const said = reasons.length === 0 ? '' : ` (${[...new Set(reasons)].slice(0, 5).join(', ')})`
  return `No device could connect to ${mqtt.host}:${mqtt.port} (MQTT) or ${tcp.host}:${tcp.port} (TCP)${said}.`
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

function openRecorder(path: string, onError: (error: CliError) => void): Recorder {
  const failed = (error: unknown) =>
    new CliError(`Can't write ${path}: ${systemReason(error)}`, 1, { cause: error })
  try {
    return new Recorder(path, error => onError(failed(error)))
  } catch (error) {
    throw failed(error)
  }
}
