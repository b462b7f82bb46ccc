// What alerting is told by configuration. Times in ms.
import type { MailServer } from '../delivery/channel-context.ts'

export interface AlertingSettings {
  saveMs: number
  keysMax: number
  openMax: number
  repeatTellMs: number
  keepResolvedMs: number
  silencesMax: number
  externalResolveMs: number
  handlerWarnMs: number
  dryRunEventsMax: number
  dryRunTimeoutMs: number
  delivery: DeliverySettings
  mail: MailServer
  /** Where people reach this server, without a slash at the end; empty: links are not given. */
  publicUrl: string
}

export interface DeliverySettings {
  timeoutMs: number
  attemptsMax: number
  retryFirstMs: number
  retryMaxMs: number
  retryAfterMaxMs: number
  circuitFailures: number
  circuitMs: number
  concurrencyMax: number
  answerBytesMax: number
  waitingMax: number
  alertsMax: number
  keepFailedMs: number
  allowPrivateAddresses: boolean
}
