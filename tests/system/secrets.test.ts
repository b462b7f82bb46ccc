// What is secret of a channel is shown nowhere: not in the log, not over HTTP, not in notifications, not by commands.
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { runTocsin } from '../cli/tocsin-process.ts'
import { eventually } from '../helpers/eventually.ts'
import { readNotifications } from '../helpers/history.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

const secrets = [
  'c2lnbmluZy1zZWNyZXQtMDEyMzQ1',
  'bearer-secret-012345',
  'path-secret-012345',
  'query-secret-012345'
]

test('secrets of webhooks appear nowhere, even where a receiver repeats them', async () => {
  await using folder = await temporaryFolder()
  // A receiver that repeats all it was sent in its refusal.
  const receiver = createServer((request, response) => {
    response.writeHead(400).end(`${request.url} ${JSON.stringify(request.headers)} ${secrets.join(' ')}`)
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo
  const write = (name: string, text: string) => writeFile(join(folder.path, name), text)
  await mkdir(join(folder.path, 'data'))
  await write('url', `http://127.0.0.1:${port}/${secrets[2]}?key=${secrets[3]}\n`)
  await write('signing', `whsec_${secrets[0]}\n`)
  await write('token', `${secrets[1]}\n`)
  await write(
    'alerting.yaml',
    `
rules: [{ name: hot, topics: [t/#], when: payload > 1, severity: major, title: hot }]
channels: [{ name: duty, webhook: { urlFile: url, secretFile: signing, authorizationFile: token } }]
routes: [{ channels: [duty], groupWait: 10ms }]
`
  )
  const settings = {
    'alerting.file': join(folder.path, 'alerting.yaml'),
    'delivery.allowPrivateAddresses': 'true',
    'log.level': 'debug'
  }
  await using server = await ServerProcess.start(join(folder.path, 'data'), settings)
  await server.ask('/v1/events', { body: { device: 'a', topic: 't/1', payload: 2 } })
  await eventually(async () => (await readNotifications(server, 'delivery')).length > 0)
  const channelTest = await server.ask('/v1/channels/duty/test', { body: {} })
  await write('signing', 'whsec_not base64!')
  const reload = await server.ask('/v1/reload', { body: {} })
  expect(reload.status).toBe(422)
  const paths = [
    '/v1/channels',
    '/v1/routes',
    '/v1/rules',
    '/v1/alerts/a1',
    '/v1/notifications?after=earliest',
    '/metrics'
  ]
  const answers = await Promise.all(paths.map(path => server.ask(path)))
  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200))
  const remote = ['--url', server.url, '--store.dir', server.dir]
  const commands = [['channels'], ['explain', 'a1']].map(args => runTocsin([...args, ...remote]).stdout)
  const shown = JSON.stringify([...answers, channelTest, reload, commands]) + server.output
  expect(shown).toContain('The receiver answered 400')
  for (const secret of [...secrets, 'not base64!']) expect(shown).not.toContain(secret)
  receiver.close()
  receiver.closeAllConnections()
})
