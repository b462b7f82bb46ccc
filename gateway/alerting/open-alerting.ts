// From the alerting file's text to what can be used: handlers loaded, channels opened with their secrets.
import { randomUUID } from 'node:crypto'
import type { EventDraft } from '../../store/notification.ts'
import type { Channel } from '../delivery/notice.ts'
import { openChannel } from '../delivery/open-channel.ts'
import type { ChannelContext } from '../delivery/open-channel.ts'
import { loadHandlers } from '../handlers/load-handlers.ts'
import type { LoadedHandler } from '../handlers/load-handlers.ts'
import type { AlertingOptions } from './alerting.ts'
import { parseAlertingFile } from './alerting-file.ts'
import type { AlertingPlan } from './alerting-file.ts'
import type { Ledger } from './ledger.ts'
import type { Problem } from './yaml-reader.ts'

/** The alerting file, or why it can't be read. */
export type ReadSource = { ok: true; source: AlertingSource } | { ok: false; file: string; message: string }

export interface AlertingSource {
  /** Its name; empty: there is none, which is as an empty file. */
  file: string
  text: string
  /** The secret in a file that is named in it. Rejects with a sentence that says nothing of the secret. */
  secret: (name: string) => Promise<string>
  /** URL of a module that is named in it. */
  moduleUrl: (name: string) => string
}

export interface OpenedAlerting {
  file: string
  plan: AlertingPlan
  handlers: LoadedHandler[]
  channels: ReadonlyMap<string, Channel>
}

/** Reads the file, checks it as a whole, loads and opens what it names. Where it has problems, nothing stays open. */
export async function openAlerting(
  options: AlertingOptions,
  ledger: Ledger
): Promise<({ ok: true } & OpenedAlerting) | { ok: false; file: string; problems: Problem[] }> {
  const read = options.readSource()
  if (!read.ok) return { ok: false, file: read.file, problems: [{ line: 1, message: read.message }] }
  const { source } = read
  const { file } = source
  const { plan, problems } = parseAlertingFile(source.text)
  if (problems.length > 0) return { ok: false, file, problems }
  const handlers: LoadedHandler[] = []
  // Node keeps modules by their URL: each reading has URLs of its own, so that a changed module is loaded anew.
  const reading = randomUUID()
  for (const handler of plan.handlers)
    handlers.push(...(await loadHandlers(handler, `${source.moduleUrl(handler.module)}?reading=${reading}`)))
  const channels = new Map<string, Channel>()
  const context = channelContext(options, source, ledger)
  const open = options.openChannel ?? openChannel
  for (const channel of plan.channels) {
    try {
      channels.set(channel.name, await open(channel, context))
    } catch (error) {
      problems.push({ line: channel.line, message: `channel ${channel.name}: ${(error as Error).message}` })
    }
  }
  if (problems.length === 0) return { ok: true, file, plan, handlers, channels }
  closeChannels(channels)
  return { ok: false, file, problems }
}

/** Lets go of channels' connections. */
export function closeChannels(channels: ReadonlyMap<string, Channel>): void {
  for (const channel of channels.values()) channel.close()
}

function channelContext(
  { settings, version }: AlertingOptions,
  source: AlertingSource,
  ledger: Ledger
): ChannelContext {
  const { delivery, mail, publicUrl } = settings
  return {
    secret: source.secret,
    settings: delivery,
    mail,
    publicUrl,
    version,
    async publish(topic, payload, { qos, retain }) {
      const draft: EventDraft = {
        kind: 'event',
        device: '',
        severity: 'info',
        topic,
        payload,
        format: 'plain',
        source: 'server',
        mqtt: { qos, retain, session: '' }
      }
      ledger.append(draft)
      await ledger.durable()
    }
  }
}
