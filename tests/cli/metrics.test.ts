import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { collectProcessMetrics } from '../../cli/process-metrics.ts'
import { startServer } from '../../cli/serve.ts'
import { loadConfig } from '../../config/config.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

const document = fileURLToPath(new URL('../../../docs/operate.md', import.meta.url))

test('the usual metrics of a process are there, without those that list its sockets', async () => {
  const registry = new Registry()
  collectProcessMetrics(registry)
  const text = await registry.metrics()
  const names = [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name)
  for (const name of [
    'process_cpu_seconds_total',
    'nodejs_heap_size_used_bytes',
    'nodejs_gc_duration_seconds'
  ])
    expect(names).toContain(name)
  expect(names.filter(name => /active|eventloop/.test(name ?? ''))).toEqual([])
  if (process.platform !== 'linux') return
  const open = Number(/^process_open_fds (\d+)$/m.exec(text)?.[1])
  const listed = (await readdir('/proc/self/fd')).length
  expect(Math.abs(open - listed)).toBeLessThan(10)
})

test('docs/operate.md lists every metric with its type and meaning, and no other', async () => {
  await using folder = await temporaryFolder()
  const flags = {
    'store.dir': join(folder.path, 'data'),
    'mqtt.port': '0',
    'tcp.port': '0',
    'http.port': '0'
  }
  const loaded = loadConfig({ env: {}, flags })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const server = await startServer(loaded.config, { logger: pino({ level: 'silent' }) })
  const text = await (await fetch(`http://127.0.0.1:${server.addresses.http.port}/metrics`)).text()
  await server.stop()
  const types = new Map(
    [...text.matchAll(/^# TYPE (tocsin_\w+) (\w+)$/gm)].map(([, name, type]) => [name, type])
  )
  const served = [...text.matchAll(/^# HELP (tocsin_\w+) (.*)$/gm)].map(
    ([, name, help]) => `${name} | ${types.get(name)} | ${help}`
  )
  const documented = [
    ...(await readFile(document, 'utf8')).matchAll(/^\| `(tocsin_\w+)` +\| (\w+) +\|[^|]*\| (.*?) *\|$/gm)
  ].map(([, name, type, help]) => `${name} | ${type} | ${help}`)
  expect(documented.sort()).toEqual(served.sort())
})
