// Debian's Prometheus, configured as docs/examples says, sends one of its own alerts to a server process.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { freePort, ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { Tool, toolIsHere } from './external-tools.ts'

const withPrometheus = toolIsHere('prometheus') ? test : test.skip
// Prometheus looks for Alertmanagers every five seconds.
const ARRIVAL_MS = 90_000

/** The files of docs/examples in a folder, for this server and with a short interval. */
async function configure(folder: string, server: ServerProcess): Promise<string> {
  const example = await readFile('docs/examples/prometheus.yml', 'utf8')
  const text = example
    .replace('evaluation_interval: 15s', 'evaluation_interval: 500ms')
    .replace('127.0.0.1:8080', `127.0.0.1:${server.ports.http}`)
  expect(text).toContain('500ms')
  expect(text).toContain(`'127.0.0.1:${server.ports.http}'`)
  const file = join(folder, 'prometheus.yml')
  await writeFile(file, text)
  await writeFile(
    join(folder, 'prometheus-alerts.yml'),
    await readFile('docs/examples/prometheus-alerts.yml')
  )
  const { body } = await server.ask('/v1/tokens', { body: { role: 'operator', name: 'prometheus' } })
  await writeFile(join(folder, 'tocsin.token'), (body as { token: string }).token)
  return file
}

withPrometheus('an alert of Prometheus is an alert here, with what it says of itself', async () => {
  await using folder = await temporaryFolder()
  await using data = await temporaryFolder()
  await using server = await ServerProcess.start(data.path)
  await using prometheus = new Tool('prometheus', [
    `--config.file=${await configure(folder.path, server)}`,
    `--storage.tsdb.path=${join(folder.path, 'data')}`,
    `--web.listen-address=127.0.0.1:${await freePort()}`,
    '--rules.alert.resend-delay=1s' // the first time it has not looked for Alertmanagers yet
  ])
  const found = async () => {
    const { status, body } = await server.ask('/v1/alerts')
    expect(status).toBe(200)
    return (body as { items: object[] }).items[0]
  }
  const alert = await eventually(found, { timeoutMs: ARRIVAL_MS, everyMs: 100 }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${prometheus.errors}`, { cause: error })
  })
  expect(alert).toMatchObject({
    origin: 'alertmanager',
    rule: 'Watchdog',
    state: 'firing',
    severity: 'warning',
    title: 'Prometheus watches',
    detail: 'This alert is always there.',
    runbook: 'https://wiki.example/watchdog',
    labels: { alertname: 'Watchdog', site: 'north' }
  })
})
