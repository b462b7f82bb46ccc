// What channels are opened with.

export interface WebhookLimits {
  timeoutMs: number
  /** Of a receiver’s answer. */
  answerBytesMax: number
  allowPrivateAddresses: boolean
}

/** The SMTP server. */
export interface MailServer {
  /** Empty: there is none. */
  host: string
  port: number
  /** TLS begins at once. */
  secure: boolean
  /** Otherwise: only after STARTTLS. */
  requireTls: boolean
  /** Empty: it asks for none. */
  user: string
  password: string | null
  /** Certificate authorities (PEM) to trust beside the usual ones. */
  ca: string | null
  from: string
}

export interface PublishOptions {
  qos: 0 | 1 | 2
  retain: boolean
}

export interface ChannelContext {
  /** The secret in a file. Rejects with a sentence that says nothing of it. */
  secret: (file: string) => Promise<string>
  settings: WebhookLimits
  mail: MailServer
  /** Where people reach this server; empty: no links. */
  publicUrl: string
  /** Publishes to MQTT subscribers; resolves when that is durable. */
  publish: (topic: string, payload: Uint8Array, options: PublishOptions) => Promise<void>
  version: string
  /** ms since 1970 UTC; default: the machine’s clock. */
  now?: () => number
}
