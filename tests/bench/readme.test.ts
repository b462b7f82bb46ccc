import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { measures } from '../../bench/measures/all.ts'
import { versions } from '../../bench/peers/packaged.ts'

const root = new URL('../../../', import.meta.url)
const readme = readFileSync(new URL('bench/README.md', root), 'utf8')

test('the table of measures is complete and in their order', () => {
  const listed = [...readme.matchAll(/^\| `([a-z0-9-]+)`/gm)].map(([, name]) => name)
  expect(listed).toEqual(Object.keys(measures))
})

test('every packaged peer is in an exact version, which is no dependency of the project', () => {
  const project = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    dependencies: Record<string, string>
    devDependencies: Record<string, string>
  }
  for (const version of Object.values(versions)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  const all = { ...project.dependencies, ...project.devDependencies }
  expect(all).not.toHaveProperty('socket.io')
  expect(all).not.toHaveProperty('node-red')
})

test('every peer has its configuration or its program', () => {
  const files = readdirSync(fileURLToPath(new URL('bench/peers/', root)))
  expect(files).toEqual(
    expect.arrayContaining(['mosquitto.conf', 'aedes.mjs', 'socket-io.mjs', 'ws.mjs', 'node-red'])
  )
})
