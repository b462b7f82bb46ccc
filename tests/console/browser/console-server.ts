// A real server with rules, a simulated device that is too warm, and what operators' programs do, for tests of the page.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runTocsin, serveTocsin } from '../../cli/tocsin-process.ts'
import type { ServingProcess } from '../../cli/tocsin-process.ts'
import { temporaryFolder } from '../../helpers/temporary-folder.ts'
import { readFile } from 'node:fs/promises'
import { Tool } from '../../system/external-tools.ts'

const alertingFile = `
rules:
  - name: too-warm
    topics: [cold/+/temperature]
    when: payload.celsius > -10.0
    clear: payload.celsius < -16.0
    severity: critical
    title: '{device} is at {payload.celsius} °C'
    runbook: https://example.org/warm
channels:
  - { name: desk, mqtt: { topic: notes/desk } }
routes:
  - { channels: [desk], groupWait: 0s }
`

const fleet = `
name: warm
count: 1
kinds:
  - kind: freezer
    topic: cold/{id}/temperature
    interval: 200ms
    fields:
      celsius: { signal: walk, mean: -5, step: 0, decimals: 1 }
`

export interface PostedEvent {
  device: string
  topic: string
  payload: unknown
}

export class ConsoleServer implements AsyncDisposable {
  readonly serving: ServingProcess
  readonly #folder: AsyncDisposable & { path: string }
  readonly #token: string

  /** Where the alerting file is. */
  get #alertingPath(): string {
    return join(this.#folder.path, 'alerting.yaml')
  }

  private constructor(serving: ServingProcess, folder: AsyncDisposable & { path: string }, token: string) {
    this.serving = serving
    this.#folder = folder
    this.#token = token
  }

  /** Use with `await using`. */
  static async start(args: readonly string[] = []): Promise<ConsoleServer> {
    const folder = await temporaryFolder()
    const file = join(folder.path, 'alerting.yaml')
    await writeFile(file, alertingFile)
    await writeFile(join(folder.path, 'fleet.yaml'), fleet)
    const data = join(folder.path, 'data')
    const serving = await serveTocsin(data, ['--alerting.file', file, '--http.sampleMs', '1s', ...args])
    const token = (await readFile(join(data, 'admin.token'), 'utf8')).trim()
    return new ConsoleServer(serving, folder, token)
  }

  get url(): string {
    return `http://127.0.0.1:${this.serving.http.port}`
  }

  get adminToken(): string {
    return this.#token
  }

  /** A link that signs a browser in, once; with the rights of a role, or of the admin. */
  async link(role: 'viewer' | 'operator' | 'admin' = 'admin'): Promise<string> {
    const { code } = await this.ask<{ code: string }>(
      'POST',
      '/v1/session/codes',
      undefined,
      await this.token(role)
    )
    return `${this.url}/#code=${code}`
  }

  async token(role: 'viewer' | 'operator' | 'admin'): Promise<string> {
    if (role === 'admin') return this.#token
    return (await this.ask<{ token: string }>('POST', '/v1/tokens', { role, name: `a ${role}` })).token
  }

  /** Asks as the admin, unless another token is given; throws when it is refused. */
  async ask<Answer>(method: string, path: string, body?: unknown, token = this.#token): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return (text === '' ? null : JSON.parse(text)) as Answer
  }

  /** Stores events; resolves when they are durable. */
  async post(...events: PostedEvent[]): Promise<void> {
    await this.ask('POST', '/v1/events', events)
  }

  /** Puts another alerting file in force; absent: the one that it began with. */
  async reload(text = alertingFile): Promise<void> {
    await writeFile(this.#alertingPath, text)
    await this.ask('POST', '/v1/reload')
  }

  /** Numbered events of a device. */
  numbered(first: number, last: number, device = 'counter'): PostedEvent[] {
    return Array.from({ length: last - first + 1 }, (_, index) => ({
      device,
      topic: `count/${device}`,
      payload: { n: first + index }
    }))
  }

  /** A device that runs by itself and is too warm, which raises an alert; use with `await using`. */
  warmDevice(): Tool {
    const { mqtt, tcp } = this.serving
    const place = ['--mqtt', `${mqtt.host}:${mqtt.port}`, '--tcp', `${tcp.host}:${tcp.port}`]
    const profile = ['--profile', join(this.#folder.path, 'fleet.yaml'), '--protocol', 'mqtt', '--quiet']
    return new Tool(process.execPath, ['dist/cli/main.js', 'simulate', ...profile, ...place])
  }

  /** What a command of tocsin prints that is pointed at this server. */
  run(...args: string[]): string {
    const { code, stdout, stderr } = runTocsin([
      ...args,
      '--url',
      this.url,
      '--store.dir',
      join(this.#folder.path, 'data')
    ])
    if (code !== 0) throw new Error(stderr)
    return stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.serving[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }
}
