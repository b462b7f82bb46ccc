// Alerts over MQTT from a whole server: an operator's token lets a dashboard in, what is open outlives a kill.
import { connect, type MqttClient } from 'mqtt'
import { expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

interface Token {
  id: string
  token: string
}

/** A client that subscribes to all alerts, and the ids and changes of those that it heard of. */
async function dashboard(server: ServerProcess, { token }: Token) {
  const heard: string[] = []
  const client = connect(`mqtt://127.0.0.1:${server.ports.mqtt}`, {
    protocolVersion: 5,
    username: 'dashboard',
    password: token,
    reconnectPeriod: 0
  })
  client.on('error', () => undefined)
  client.on('message', (topic, payload, { retain }) => {
    const { change } = JSON.parse(payload.toString()) as { change: string }
    heard.push(`${topic} ${change}${retain ? ' (retained)' : ''}`)
  })
  await eventually(() => client.connected)
  await client.subscribeAsync('$alerts/#', { qos: 1 })
  return { client, heard }
}

const posted = (server: ServerProcess, action: 'trigger' | 'resolve', dedupKey: string) =>
  server.ask('/v1/alerts', {
    body: { action, dedupKey, ...(action === 'trigger' && { title: 'It failed' }) }
  })

test('open alerts are retained messages for dashboards, over kill -9 and until they are resolved', async () => {
  await using folder = await temporaryFolder()
  await using server = await ServerProcess.start(folder.path, { 'devices.anonymous': 'false' })
  const { body } = await server.ask('/v1/tokens', { body: { role: 'viewer', name: 'dashboard' } })
  const token = body as Token
  const clients: MqttClient[] = []
  try {
    const before = await dashboard(server, token)
    clients.push(before.client)
    await posted(server, 'trigger', 'backup/nightly')
    await posted(server, 'trigger', 'cooling')
    await posted(server, 'resolve', 'cooling')
    await eventually(() => before.heard.length >= 3)
    const [raised = '', ...rest] = before.heard
    expect(raised).toMatch(/^\$alerts\/[^/]+\/backup%2Fnightly raised$/)
    const [rule] = raised.split('/backup')
    expect(rest).toEqual([`${rule}/cooling raised`, `${rule}/cooling resolved`])
    await server.kill9()
    await server.restart()
    const after = await dashboard(server, token)
    clients.push(after.client)
    await eventually(() => after.heard.length >= 1)
    await posted(server, 'resolve', 'backup/nightly')
    await eventually(() => after.heard.length >= 2)
    expect(after.heard).toEqual([`${raised} (retained)`, raised.replace('raised', 'resolved')])
    const devices = await server.ask('/v1/devices')
    expect(devices.body).toMatchObject({ items: [] })
    await fetch(`${server.url}/v1/tokens/${token.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${server.adminToken}` }
    })
    await eventually(() => !after.client.connected, { what: 'the end of a connection without a token' })
  } finally {
    for (const client of clients) client.end(true)
  }
})
