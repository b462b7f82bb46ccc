// Every setting: its type, default, unit and a sentence. Nothing is read here; config.ts does that.
import { z } from 'zod'
import { bytes, choice, count, flag, list, milliseconds, optionalText, seconds, text } from './units.ts'

const port = () => count(65_535)
const host = text

const MiB = 1024 ** 2
const DAY_MS = 86_400_000

const access = z.strictObject({
  devices: list().default(['*']).describe('Device ids this rule is for; * stands for any text.'),
  publish: list()
    .default([])
    .describe('Topic filters they may publish to; %c is the client id, %u the user name.'),
  subscribe: list()
    .default([])
    .describe(
      'Topic filters they may subscribe to; %c is the client id, %u the user name. $SYS topics are covered only by filters that begin with $SYS.'
    )
})

const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never)

/** The whole configuration. `describe` texts are shown by the example file and by `--help`. */
export const schema = z.strictObject({
  log: section({
    level: choice(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least level that is logged.')
  }),
  store: section({
    dir: text().default('data').describe('Folder of the data. Created when missing; one process at a time.'),
    commitIntervalMs: milliseconds(0, 1000)
      .default(2)
      .describe(
        'Least time, to half a millisecond, between two commits while several events arrive at a time, so that each carries more; an event that comes alone never waits.'
      ),
    waitingBytesMax: bytes(MiB, 4096 * MiB)
      .default(64 * MiB)
      .describe('Bytes of events that may wait for commit before devices are paused.'),
    recentBytesMax: bytes(0, 4096 * MiB)
      .default(32 * MiB)
      .describe(
        'Bytes of recent notifications kept in memory for subscribers that are a little behind; asked of the system at start, taken as they fill.'
      ),
    retentionAgeMs: milliseconds(0, 3650 * DAY_MS)
      .default(30 * DAY_MS)
      .describe('Age beyond which notifications are removed; 0 keeps them for ever.'),
    retentionBytesMax: bytes(0, 1e15)
      .default(20 * 1024 * MiB)
      .describe('Bytes of notifications beyond which the oldest are removed; 0 sets no limit.'),
    maintenanceMs: milliseconds(100, DAY_MS)
      .default(10_000)
      .describe('How often retention and the merging of small blocks run.')
  }),
  mqtt: section({
    enabled: flag().default(true).describe('Whether MQTT is served.'),
    host: host().default('127.0.0.1').describe('Address to listen on.'),
    port: port().default(1883).describe('Port to listen on; 0 lets the system choose.'),
    packetBytesMax: bytes(256, 256 * MiB)
      .default(MiB)
      .describe('Largest MQTT packet that is accepted.'),
    topicLevelsMax: count(100, 1).default(100).describe('Most levels of a topic or topic filter.'),
    connectTimeoutMs: milliseconds(100, 600_000)
      .default(10_000)
      .describe('Time for a connection to send CONNECT and be authenticated.'),
    packetTimeoutMs: milliseconds(1000, 3_600_000)
      .default(60_000)
      .describe('Time for a packet that has begun to arrive whole.'),
    keepaliveMaxS: seconds(0, 65_535)
      .default(0)
      .describe(
        'Longest keep alive, imposed on MQTT 5 clients (a 3.1.1 client that asks for more is accepted with its own); 0 sets no limit.'
      ),
    sessionExpiryMaxS: seconds(0, 0xffffffff)
      .default(7 * 86_400)
      .describe('Longest time a session is kept while its client is away; longer wishes are cut to this.'),
    sessionsMax: count(10_000_000, 1).default(100_000).describe('Most durable sessions.'),
    subscriptionsMax: count(1_000_000, 1).default(1000).describe('Most subscriptions of one session.'),
    inflightMax: count(65_535, 1)
      .default(256)
      .describe(
        'Most QoS 1 and 2 messages sent to a client and not acknowledged; a client may ask for less.'
      ),
    receiveMax: count(65_535, 1)
      .default(256)
      .describe(
        'Most QoS 1 and 2 messages a client may send before they are acknowledged (its Receive Maximum).'
      ),
    topicAliasMax: count(65_535).default(32).describe('Most topic aliases of a client.'),
    unsentBytesMax: bytes(65_536, 1024 * MiB)
      .default(256 * 1024)
      .describe('Bytes waiting in a subscriber’s socket beyond which it reads on from the log.'),
    flushMs: milliseconds(0, 10_000)
      .default(25)
      .describe('Longest pause between two writes of live messages while writing them takes long.'),
    retainedMax: count(10_000_000).default(100_000).describe('Most topics with a retained message.'),
    retainedBytesMax: bytes(0, 16_384 * MiB)
      .default(128 * MiB)
      .describe('Most bytes of retained messages.'),
    willsBytesMax: bytes(0, 16_384 * MiB)
      .default(64 * MiB)
      .describe(
        'Most bytes of wills, of connected clients and of those that wait for their delay; a CONNECT whose will goes beyond is refused.'
      ),
    sessionSaveMs: milliseconds(100, 600_000)
      .default(1000)
      .describe(
        'How often the places of connected durable sessions are saved; what was acknowledged since may be sent again after a crash.'
      ),
    sysIntervalMs: milliseconds(0, DAY_MS)
      .default(10_000)
      .describe(
        'How often $SYS topics are looked at; those that changed are sent to who may see them. 0 switches them off.'
      )
  }),
  tcp: section({
    enabled: flag().default(true).describe('Whether the raw TCP protocol is served.'),
    host: host().default('127.0.0.1').describe('Address to listen on.'),
    port: port().default(7883).describe('Port to listen on; 0 lets the system choose.'),
    frameBytesMax: bytes(256, 64 * MiB)
      .default(65_536)
      .describe('Largest frame that is accepted.'),
    nestingMax: count(256, 1).default(16).describe('Deepest nesting of a payload.'),
    helloTimeoutMs: milliseconds(100, 600_000)
      .default(10_000)
      .describe('Time for a connection to say hello.'),
    idleTimeoutMs: milliseconds(1000, DAY_MS)
      .default(120_000)
      .describe('Silence after which a device that named no keepalive is cut off.'),
    windowEvents: count(65_535, 1)
      .default(1024)
      .describe('Most events a device may send beyond the last acknowledged one.'),
    streamsMax: count(1_000_000, 1)
      .default(16)
      .describe('Most named streams of one device; each is remembered for ever.'),
    eventsPerSecondMax: count(1_000_000)
      .default(5000)
      .describe('Events a second of one device; it is paused above that. 0 sets no limit.'),
    unsentBytesMax: bytes(4096, 64 * MiB)
      .default(65_536)
      .describe('Bytes of replies waiting in a device’s socket beyond which it is no longer read from.')
  }),
  http: section({
    host: host().default('127.0.0.1').describe('Address to listen on.'),
    port: port().default(8080).describe('Port to listen on; 0 lets the system choose.'),
    bodyBytesMax: bytes(1024, 256 * MiB)
      .default(MiB)
      .describe('Largest request body.'),
    flushMs: milliseconds(0, 10_000)
      .default(25)
      .describe(
        'Longest time between two batches to a subscriber of the feed while there is something to send.'
      ),
    authTimeoutMs: milliseconds(100, 600_000)
      .default(10_000)
      .describe('Time for a feed connection to send its token.'),
    pingMs: milliseconds(1000, 3_600_000)
      .default(30_000)
      .describe('How often a silent feed connection is pinged; it is cut off when two go unanswered.'),
    subscribersMax: count(1_000_000, 1)
      .default(10_000)
      .describe('Most feed connections (WebSocket, server-sent events and long-polls).'),
    subscriptionsMax: count(10_000, 1).default(64).describe('Most subscriptions of one feed connection.'),
    filterTermsMax: count(10_000, 1)
      .default(256)
      .describe('Most topic filters, kinds and devices in one filter.'),
    messageBytesMax: bytes(1024, 16 * MiB)
      .default(65_536)
      .describe('Largest message a feed connection may send.'),
    unsentBytesMax: bytes(65_536, 1024 * MiB)
      .default(MiB)
      .describe('Bytes waiting in a subscriber’s socket beyond which it reads on from the log.'),
    pageMax: count(100_000, 1).default(1000).describe('Most notifications in one page of history.'),
    waitMaxMs: milliseconds(0, 600_000).default(60_000).describe('Longest wait of a long-poll.'),
    sampleMs: milliseconds(1000, 3_600_000)
      .default(5000)
      .describe('How often a sample is taken for the overview.'),
    samplesMax: count(100_000, 1)
      .default(720)
      .describe('Most samples that are kept, in memory: an hour of them, as these are set.'),
    appendTimeoutMs: milliseconds(100, 600_000)
      .default(10_000)
      .describe('Time for posted events to become durable before 503 is answered.'),
    allowedOrigins: list()
      .default([])
      .describe('Origins of web pages, beside our own, that may open the feed and act with a session.'),
    publicUrl: optionalText()
      .default('')
      .describe(
        'Where people reach this server, such as https://tocsin.example.org: links in what is delivered begin with it, and with https: sessions are for https alone. Empty: no links.'
      ),
    console: flag().default(true).describe('Whether the operators’ console is served at /.'),
    sessionMs: milliseconds(60_000, 365 * DAY_MS)
      .default(DAY_MS / 2)
      .describe('How long a session of the console lasts; one that is used is prolonged.'),
    sessionsMax: count(1_000_000, 1)
      .default(1000)
      .describe('Most sessions; beyond, the oldest of the token that has most ends.'),
    signInCodeMs: milliseconds(10_000, DAY_MS)
      .default(10 * 60_000)
      .describe('How long a sign-in link is valid; it can be used once.')
  }),
  devices: section({
    anonymous: flag()
      .default(true)
      .describe(
        'Whether devices without a token are let in. Only while every device port listens on loopback.'
      ),
    offlineDelayMs: milliseconds(0, DAY_MS)
      .default(10_000)
      .describe('How long a device must be gone before it is said to be offline.'),
    access: z
      .array(access)
      .meta({ setting: { kind: 'rules' } })
      .default([{ devices: ['*'], publish: ['#'], subscribe: ['#'] }])
      .describe('What devices may publish and subscribe to; the rules that name a device add up.')
  }),
  limits: section({
    connectionsMax: count(1_000_000, 1).default(18_000).describe('Most device connections in all.'),
    connectionsPerAddressMax: count(1_000_000)
      .default(0)
      .describe('Most device connections from one address; 0 sets no limit.'),
    connectsPerSecondMax: count(1_000_000)
      .default(5000)
      .describe('Most device connects a second in all; 0 sets no limit.'),
    connectsPerDeviceMax: count(1_000_000)
      .default(0)
      .describe(
        'Most connects of one device within limits.connectsPerDeviceWindowMs; beyond, it is refused for a while. 0 sets no limit.'
      ),
    connectsPerDeviceWindowMs: milliseconds(1000, DAY_MS)
      .default(60_000)
      .describe('Time within which the connects of a device are counted together.'),
    connectsPerDevicePauseMs: milliseconds(1000, DAY_MS)
      .default(300_000)
      .describe('How long a device that connected too often is refused.'),
    connectsPerDeviceKnownMax: count(10_000_000, 1)
      .default(100_000)
      .describe(
        'Most devices whose connects are counted, and most that are refused; beyond, the oldest are forgotten.'
      ),
    openBytesMax: bytes(0, 1e12)
      .default(256 * MiB)
      .describe(
        'Most bytes of received and unfinished packets and frames over all device connections; 0 sets no limit.'
      )
  }),
  alerting: section({
    file: optionalText()
      .default('')
      .describe(
        'YAML file with rules, handlers, channels, routes and inhibitions; read again on SIGHUP. Empty: there are none.'
      ),
    saveMs: milliseconds(100, 600_000)
      .default(5000)
      .describe(
        'How often the states of rules are saved while they give no alert; what was seen since is judged again after a crash.'
      ),
    keysMax: count(100_000_000, 1)
      .default(500_000)
      .describe('Most keys, over all rules, whose states are kept; beyond, a key that is new is not judged.'),
    openMax: count(10_000_000, 1)
      .default(100_000)
      .describe('Most open alerts; beyond, a new one is not opened, which is logged and counted.'),
    repeatTellMs: milliseconds(0, DAY_MS)
      .default(60_000)
      .describe('Least time between two notifications of an alert that say only that it happened again.'),
    keepResolvedMs: milliseconds(0, 3650 * DAY_MS)
      .default(90 * DAY_MS)
      .describe('How long resolved alerts and ended silences are kept.'),
    silencesMax: count(1_000_000, 1).default(10_000).describe('Most silences that have not ended.'),
    externalResolveMs: milliseconds(1000, 30 * DAY_MS)
      .default(5 * 60_000)
      .describe(
        'Time after which an alert that came by POST /api/v2/alerts without an end is resolved unless it is sent again.'
      ),
    handlerWarnMs: milliseconds(1, 60_000)
      .default(50)
      .describe('Time a handler may hold the event loop before it is logged.'),
    dryRunEventsMax: count(1_000_000_000, 1)
      .default(1_000_000)
      .describe('Most notifications that a dry run of a rule looks at.'),
    dryRunTimeoutMs: milliseconds(100, 3_600_000)
      .default(60_000)
      .describe('Time after which a dry run ends and says how far it came.')
  }),
  delivery: section({
    timeoutMs: milliseconds(100, 600_000).default(10_000).describe('Time for one attempt to tell a channel.'),
    attemptsMax: count(1000, 1)
      .default(12)
      .describe('Most attempts of one delivery; then it is given up, and can be sent again by hand.'),
    retryFirstMs: milliseconds(10, DAY_MS)
      .default(1000)
      .describe('Pause after the first failed attempt; each further one is about twice as long.'),
    retryMaxMs: milliseconds(10, DAY_MS)
      .default(5 * 60_000)
      .describe('Longest pause between two attempts, but for a receiver that asks for more.'),
    retryAfterMaxMs: milliseconds(0, 7 * DAY_MS)
      .default(3_600_000)
      .describe('Longest time for which a receiver may put a delivery off (Retry-After).'),
    circuitFailures: count(1000, 1)
      .default(5)
      .describe('Failed attempts in a row after which a channel is left alone for a while.'),
    circuitMs: milliseconds(100, DAY_MS)
      .default(30_000)
      .describe('How long a channel that fails is left alone before one attempt is made again.'),
    concurrencyMax: count(1000, 1).default(4).describe('Most attempts of one channel at a time.'),
    answerBytesMax: bytes(0, 65_536).default(4096).describe('Bytes of a receiver’s answer that are read.'),
    waitingMax: count(1_000_000, 1)
      .default(10_000)
      .describe('Most deliveries of one channel that wait; beyond, a new one is given up at once.'),
    alertsMax: count(10_000, 1)
      .default(100)
      .describe('Most alerts in one notice; it says how many more there are.'),
    keepFailedMs: milliseconds(0, 3650 * DAY_MS)
      .default(7 * DAY_MS)
      .describe('How long a delivery that was given up is kept, to be sent again by hand.'),
    allowPrivateAddresses: flag()
      .default(false)
      .describe(
        'Whether webhooks may go to loopback, private and link-local addresses. Whoever writes the alerting file then reaches this network.'
      )
  }),
  mail: section({
    host: optionalText().default('').describe('SMTP server for e-mail channels. Empty: there is none.'),
    port: port().default(587).describe('Its port: 587 for submission, 465 where TLS begins at once.'),
    secure: flag().default(false).describe('Whether TLS begins at once, as on port 465.'),
    requireTls: flag()
      .default(true)
      .describe('Whether mail is sent only after STARTTLS, where TLS does not begin at once.'),
    user: optionalText().default('').describe('User name; empty: the server asks for none.'),
    passwordFile: optionalText().default('').describe('File with the password of that user.'),
    caFile: optionalText()
      .default('')
      .describe(
        'File with certificate authorities (PEM) to trust for the SMTP server beside the usual ones.'
      ),
    from: optionalText()
      .default('')
      .describe('Sender’s address, such as Tocsin <tocsin@example.org>; needed with mail.host.')
  }),
  eventLoop: section({
    blockWarnMs: milliseconds(10, 60_000)
      .default(200)
      .describe('Length of a block of the event loop that is logged.')
  }),
  shutdown: section({
    timeoutMs: milliseconds(100, 600_000)
      .default(10_000)
      .describe('Time to commit, acknowledge and say goodbye on SIGTERM before the process ends anyway.')
  })
})

/** A complete, checked configuration; keys as in the file, durations in the unit of their key. */
export type Config = z.infer<typeof schema>
