// What the gateway is told: the `http` section of the configuration.

/** Settings of the operators' side; durations in ms, sizes in bytes. */
export interface GatewaySettings {
  host: string
  port: number
  bodyBytesMax: number
  flushMs: number
  authTimeoutMs: number
  pingMs: number
  subscribersMax: number
  subscriptionsMax: number
  filterTermsMax: number
  messageBytesMax: number
  unsentBytesMax: number
  pageMax: number
  waitMaxMs: number
  sampleMs: number
  samplesMax: number
  appendTimeoutMs: number
  allowedOrigins: readonly string[]
  /** Where people reach the server; empty where nobody said. */
  publicUrl: string
  sessionMs: number
  sessionsMax: number
  signInCodeMs: number
}
