// Every setting: its type, default, unit and a sentence. Nothing is read here; config.ts does that.
import { z } from 'zod'
import { bytes, choice, count, flag, list, milliseconds, seconds, text } from './units.ts'

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
        'Least time between two commits while several events arrive at a time, so that each carries more; an event that comes alone never waits.'
      ),
    waitingBytesMax: bytes(MiB, 4096 * MiB)
      .default(64 * MiB)
      .describe('Bytes of events that may wait for commit before devices are paused.'),
    recentBytesMax: bytes(0, 4096 * MiB)
      .default(32 * MiB)
      .describe('Bytes of recent notifications kept in memory for subscribers that are a little behind.'),
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
    appendTimeoutMs: milliseconds(100, 600_000)
      .default(10_000)
      .describe('Time for posted events to become durable before 503 is answered.'),
    allowedOrigins: list()
      .default([])
      .describe('Origins of web pages, beside our own, that may open the feed.')
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
