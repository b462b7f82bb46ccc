// Settings of alerting for tests: the defaults.
import type { AlertingSettings } from '../../gateway/alerting/settings.ts'

export const alertingSettings: AlertingSettings = {
  saveMs: 5000,
  keysMax: 100_000,
  openMax: 10_000,
  repeatTellMs: 60_000,
  keepResolvedMs: 90 * 86_400_000,
  silencesMax: 1000,
  externalResolveMs: 300_000,
  handlerWarnMs: 50,
  dryRunEventsMax: 1_000_000,
  dryRunTimeoutMs: 60_000,
  delivery: {
    timeoutMs: 10_000,
    attemptsMax: 12,
    retryFirstMs: 1000,
    retryMaxMs: 300_000,
    retryAfterMaxMs: 3_600_000,
    circuitFailures: 5,
    circuitMs: 30_000,
    concurrencyMax: 4,
    answerBytesMax: 4096,
    waitingMax: 10_000,
    alertsMax: 100,
    keepFailedMs: 604_800_000,
    allowPrivateAddresses: false
  },
  mail: {
    host: '',
    port: 587,
    secure: false,
    requireTls: true,
    user: '',
    password: null,
    ca: null,
    from: ''
  },
  publicUrl: ''
}
