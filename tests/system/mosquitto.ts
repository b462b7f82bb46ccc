// mosquitto's clients against one server, in one version of the protocol.
import { eventually } from '../helpers/eventually.ts'
import { runTool, Tool } from './external-tools.ts'

export const mosquittoVersions = ['mqttv31', 'mqttv311', 'mqttv5'] as const
export type MosquittoVersion = (typeof mosquittoVersions)[number]

/** The topic whose retained message tells a subscriber that its subscriptions are there. */
const READY = 'ready'

export interface SubscribeOptions {
  filters: readonly string[]
  /** What is printed of a message, in mosquitto_sub's terms. */
  format?: string
  args?: readonly string[]
}

/** The clients' common arguments, and how they are run. */
export class Mosquitto {
  readonly version: MosquittoVersion
  readonly #common: string[]

  constructor(port: number, version: MosquittoVersion) {
    this.version = version
    this.#common = ['-h', '127.0.0.1', '-p', `${port}`, '-V', version]
  }

  /** Has the server say to each later subscriber that it is subscribed. Once per server. */
  async prepare(): Promise<void> {
    await this.publish(['-t', READY, '-m', READY, '-r', '-q', '1'])
  }

  /** Runs mosquitto_pub to its end; throws when it fails. */
  async publish(args: readonly string[], options: { input?: string } = {}): Promise<void> {
    const { code, output } = await this.run('mosquitto_pub', args, options)
    if (code !== 0) throw new Error(`mosquitto_pub ${args.join(' ')} ends with ${code}: ${output}`)
  }

  /** Runs a client to its end, however it ends. */
  run(name: string, args: readonly string[], options: { input?: string } = {}) {
    return runTool(name, [...this.#common, ...args], options)
  }

  /** Starts a client. */
  start(name: string, args: readonly string[]): Tool {
    return new Tool(name, [...this.#common, ...args])
  }

  /** Starts mosquitto_sub; resolves when it is subscribed. */
  async subscribe({ filters, format = '%t %q %r %p', args = [] }: SubscribeOptions): Promise<Subscriber> {
    const topics = [...filters, READY].flatMap(filter => ['-t', filter])
    const tool = this.start('mosquitto_sub', [...topics, '-F', `%t|${format}`, ...args])
    const subscriber = new Subscriber(tool)
    await eventually(() => tool.lines.some(isReady), { what: 'a subscription of mosquitto_sub' })
    return subscriber
  }
}

/** A running mosquitto_sub. */
export class Subscriber implements AsyncDisposable {
  readonly tool: Tool

  constructor(tool: Tool) {
    this.tool = tool
  }

  /** What was printed of the messages so far. */
  get heard(): string[] {
    return this.tool.lines.filter(line => !isReady(line)).map(line => line.slice(line.indexOf('|') + 1))
  }

  /** What was printed of the messages up to and with the one that matches. */
  async until(last: string | RegExp): Promise<string[]> {
    const isLast = (line: string) => (typeof last === 'string' ? line === last : last.test(line))
    await eventually(() => this.heard.some(isLast), { what: `the message ${last}` }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; heard: ${JSON.stringify(this.heard.slice(-5))}`, { cause: error })
      }
    )
    return this.heard
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.tool[Symbol.asyncDispose]()
  }
}

function isReady(line: string): boolean {
  return line.startsWith(`${READY}|`)
}
