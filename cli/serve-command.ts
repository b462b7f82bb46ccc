// tocsin serve: a server as a process: its signals, its exit code, and what ends it.
import { Command } from 'commander'
import type { Logger } from 'pino'
import { configurationOf } from './configuration.ts'
import { createLogger } from './logger.ts'
import { settleProcess } from './process-settings.ts'

/** A signal this soon after the first is taken for the same: under npm, Ctrl-C arrives more than once. */
const SAME_SIGNAL_MS = 500

/** The `serve` command. */
export function serveCommand(): Command {
  return new Command('serve')
    .addHelpText(
      'after',
      `
The first start writes an admin token to admin.token in store.dir. SIGTERM and Ctrl-C drain: what devices have sent is
committed and acknowledged, everybody is told, and the exit code is 0. A second signal ends it at once. SIGHUP reads the
alerting file again.

Examples:
  tocsin serve
  tocsin serve --config tocsin.yaml
  tocsin serve --store.dir /var/lib/tocsin --mqtt.host 0.0.0.0 --devices.anonymous false
`
    )
    .action(async (_options: unknown, command: Command) => {
      const config = configurationOf(command)
      const logger = createLogger({ level: config.log.level, fd: 1 })
      endOnUnforeseen(logger)
      settleProcess()
      const signal = firstSignal(config.shutdown.timeoutMs, logger)
      const { startServer } = await import('./serve.ts') // only now: --help need not load a server
      const server = await startServer(config, { logger })
      process.on('SIGHUP', () => {
        server.reload().catch((err: unknown) => logger.error({ err }, 'Reloading failed'))
      })
      const { mqtt, tcp, http } = server.addresses
      logger.info(
        { mqtt: at(mqtt), tcp: at(tcp), http: at(http), dir: config.store.dir, pid: process.pid },
        'Serving'
      )
      logger.info({ signal: await signal }, 'Draining')
      await server.stop()
      logger.info('Stopped')
      process.exit(0)
    })
}

function at(address: { address: string; port: number } | null): string | undefined {
  if (address === null) return undefined
  return address.address.includes(':')
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`
}

/**
 * Resolves with the first SIGTERM or SIGINT. From then on there is a time limit, after which the process ends with exit
 * code 1, and a later signal ends it at once, as that signal would have. Nothing acknowledged is lost either way.
 */
function firstSignal(timeoutMs: number, logger: Logger): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let firstAt: number | null = null
    const onSignal = (signal: NodeJS.Signals) => {
      if (firstAt === null) {
        firstAt = performance.now()
        setTimeout(() => {
          logger.error({ timeoutMs }, 'Draining took too long; ending without it')
          process.exit(1)
        }, timeoutMs).unref()
        resolve(signal)
      } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
        process.exit(signal === 'SIGINT' ? 130 : 143)
      }
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

/** After what nobody foresaw, the state of the process is unknown; the store recovers at the next start. */
function endOnUnforeseen(logger: Logger): void {
  const end = (error: unknown) => {
    logger.fatal({ err: error }, 'The process ends')
    process.exit(1)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}
