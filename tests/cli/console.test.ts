import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { runTocsin, serveTocsin } from './tocsin-process.ts'

/** Signs in as the page does with what is in its address. */
async function signIn(port: number, code: string) {
  const url = `http://127.0.0.1:${port}`
  const headers = { 'content-type': 'application/json', origin: url }
  const response = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ code })
  })
  return { status: response.status, body: (await response.json()) as { role?: string } }
}

const codeOf = (link: string) => link.trim().split('/#code=')[1] ?? ''

test('"tocsin console" prints a link that signs a browser in once, and nothing else keeps its code', async () => {
  await using folder = await temporaryFolder()
  await using server = await serveTocsin(folder.path, ['--log.level', 'debug'])
  const on = ['--store.dir', folder.path, '--http.port', String(server.http.port)]
  const { code: exitCode, stdout, stderr } = runTocsin(['console', ...on])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${server.http.port}/#code=[\\w-]{24}\\n$`))
  const [, until = ''] = /^This link signs a browser in once, until (\S+Z):\n$/.exec(stderr) ?? []
  expect(Date.parse(until)).toBeGreaterThan(Date.now())
  const code = codeOf(stdout)
  expect(await signIn(server.http.port, code)).toMatchObject({ status: 200, body: { role: 'admin' } })
  expect((await signIn(server.http.port, code)).status).toBe(401)
  await server.end('SIGTERM') // which brings all that it has to say
  expect(JSON.stringify(server.log)).not.toContain(code)
  expect(server.log.map(({ msg }) => msg)).toContain('"tocsin console" prints a link that signs a browser in')
})

test('the link has the rights of the token it was made with, and begins where people reach the server', async () => {
  await using folder = await temporaryFolder()
  await using server = await serveTocsin(folder.path)
  const on = ['--store.dir', folder.path, '--http.port', String(server.http.port)]
  const file = join(folder.path, 'viewer.token')
  await writeFile(file, runTocsin(['tokens', 'create', '--role', 'viewer', ...on]).stdout)
  const asViewer = ['--token-file', file, '--http.publicUrl', 'https://tocsin.example/']
  const { stdout } = runTocsin(['console', ...on, ...asViewer])
  expect(stdout).toMatch(/^https:\/\/tocsin\.example\/#code=/)
  expect(await signIn(server.http.port, codeOf(stdout))).toMatchObject({
    status: 200,
    body: { role: 'viewer' }
  })
  const url = `http://localhost:${server.http.port}/`
  const elsewhere = runTocsin(['console', '--url', url, '--token-file', file])
  expect(elsewhere.stdout).toMatch(new RegExp(`^http://localhost:${server.http.port}/#code=`))
})

test('"tocsin console" says what is missing where no server runs', async () => {
  await using folder = await temporaryFolder()
  const none = runTocsin(['console', '--store.dir', folder.path])
  expect(none).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('there is no token in') })
  await writeFile(join(folder.path, 'admin.token'), 'x')
  const silent = runTocsin(['console', '--store.dir', folder.path, '--http.port', '1'])
  expect(silent).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('does not answer') })
})

test('a server with http.console off serves no page', async () => {
  await using folder = await temporaryFolder()
  await using server = await serveTocsin(folder.path, ['--http.console', 'false'])
  const response = await fetch(`http://127.0.0.1:${server.http.port}/`)
  expect(await response.json()).toMatchObject({ status: 404, code: 'route-unknown' })
})
