// The server that is fuzzed, as a process, and a witness: a client that keeps to the rules on the same server. It hears
// every message, and publishes one in each scenario.
import { eventually } from '../helpers/eventually.ts'
import type { Item } from '../helpers/feed-subscriber.ts'
import { readEvents } from '../helpers/history.ts'
import { RawMqttClient } from '../helpers/raw-mqtt-client.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { Violation } from './violation.ts'

/** How long the server may take for anything, ms. */
export const PATIENCE_MS = 30_000

const settings = {
  'log.level': 'warn',
  'limits.connectsPerSecondMax': '0',
  // Small, so that a long run shows early whether memory grows.
  'store.recentBytesMax': '1MiB',
  'store.retentionBytesMax': '64MiB'
}

interface Stage {
  folder: Awaited<ReturnType<typeof temporaryFolder>>
  server: ServerProcess
  witness: RawMqttClient
  /** Topics of what the witness was sent and has not been compared. */
  heard: string[]
  /** Behind the last event that was read. */
  cursor: string
  /** As they were when it was last inspected. */
  last: Figures
}

/** What the server's metrics say. */
interface Figures {
  connections: number
  openBytes: number
  sessions: number
  shares: number
}

/** One server at a time; a new one in place of one that has failed. */
export class Arena implements AsyncDisposable {
  #stage: Stage | null = null
  #marks = 0

  private constructor() {}

  static async open(): Promise<Arena> {
    const arena = new Arena()
    arena.#stage = await raise()
    return arena
  }

  get port(): number {
    return this.#current.server.ports.mqtt
  }

  get server(): ServerProcess {
    return this.#current.server
  }

  /** In the course of a scenario: the witness publishes. Resolves when that is acknowledged. */
  async callWitness(): Promise<void> {
    await this.#mark('witness/during')
  }

  /**
   * When all other connections are gone: throws unless the server is well, has nothing left over, and sent the witness
   * every event. Gives the events since the last time. `mayStore`: more sessions may be stored than the last time.
   */
  async inspect({ mayStore = false } = {}): Promise<Item[]> {
    const { server, witness, heard, last } = this.#current
    let now = last
    await eventually(
      async () => {
        now = await figures(server)
        return isEmpty(now) && (mayStore || (now.sessions <= last.sessions && now.shares <= last.shares))
      },
      { what: 'the end of all connections', timeoutMs: PATIENCE_MS }
    ).catch((error: unknown) => {
      this.#checkProcess()
      throw new Violation(`left over: ${JSON.stringify({ now, last })}; ${String(error)}`)
    })
    this.#current.last = now
    await this.#mark('witness/end')
    await within(() => heard.at(-1) === 'witness/end', 'what the witness published last')
    const events = await readEvents(server, this.#current.cursor)
    this.#checkProcess()
    if (witness.ended) throw new Violation('the witness was cut off')
    this.#current.cursor = events.at(-1)?.cursor ?? this.#current.cursor
    const told = heard.splice(0)
    const logged = events.map(event => event.topic ?? '')
    if (JSON.stringify(told) !== JSON.stringify(logged))
      throw new Violation(`the witness heard ${JSON.stringify(told)} of ${JSON.stringify(logged)}`)
    return events
  }

  /** Puts a new server, with nothing stored, in place of this one. */
  async renew(): Promise<void> {
    await this[Symbol.asyncDispose]()
    this.#stage = await raise()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stage = this.#stage
    this.#stage = null
    if (stage === null) return
    await stage.witness[Symbol.asyncDispose]()
    await stage.server[Symbol.asyncDispose]()
    await stage.folder[Symbol.asyncDispose]()
  }

  get #current(): Stage {
    if (this.#stage === null) throw new Error('the arena is closed')
    return this.#stage
  }

  async #mark(topic: string): Promise<void> {
    const { witness } = this.#current
    let code: number | null = null
    witness.publish(topic, `mark ${++this.#marks}`, reasonCode => (code = reasonCode))
    await within(() => code !== null || witness.ended, 'an acknowledgement for the witness')
    if (code !== 0) throw new Violation('the witness was not served')
  }

  #checkProcess(): void {
    const { server } = this.#current
    if (!server.running) throw new Violation(`the server has ended: ${server.output}`)
    const line = server.output.split('\n').find(each => /"level":(?:50|60)/.test(each))
    if (line !== undefined) throw new Violation(`the server logs an error: ${line}`)
  }
}

async function raise(): Promise<Stage> {
  const folder = await temporaryFolder()
  const server = await ServerProcess.start(folder.path, settings)
  const heard: string[] = []
  const witness = await RawMqttClient.connect({
    port: server.ports.mqtt,
    clientId: 'witness',
    onMessage: ({ topic }) => heard.push(topic)
  })
  await witness.subscribe('#', 1)
  return { folder, server, witness, heard, cursor: 'earliest', last: await figures(server) }
}

async function figures(server: ServerProcess): Promise<Figures> {
  const { body } = await server.ask('/metrics')
  const read = (pattern: RegExp) => Number(pattern.exec(String(body))?.[1] ?? NaN)
  return {
    connections: read(/^tocsin_device_connections\{protocol="mqtt"\} (\d+)/m),
    openBytes: read(/^tocsin_device_open_bytes (-?\d+)/m),
    sessions: read(/^tocsin_mqtt_sessions (\d+)/m),
    shares: read(/^tocsin_mqtt_shares (\d+)/m)
  }
}

/** Only the witness is there. */
function isEmpty({ connections, openBytes }: Figures): boolean {
  return connections === 1 && openBytes === 0
}

/** Waits; what does not come about in time is the server's fault. */
export async function within(condition: () => boolean, what: string): Promise<void> {
  await eventually(condition, { what, timeoutMs: PATIENCE_MS, everyMs: 1 }).catch((error: unknown) => {
    throw new Violation(error instanceof Error ? error.message : String(error))
  })
}
