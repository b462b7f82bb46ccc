// mosquitto's command line clients, in each version they speak, against a server process.
import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '../helpers/eventually.ts'
import { ServerProcess } from '../helpers/server-process.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { toolIsHere } from './external-tools.ts'
import { Mosquitto, mosquittoVersions } from './mosquitto.ts'

const tools = ['mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr']
const withTools = tools.every(toolIsHere) ? test : test.skip

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let server: ServerProcess

beforeAll(async () => {
  folder = await temporaryFolder()
  server = await ServerProcess.start(folder.path, {
    'mqtt.sysIntervalMs': '200',
    'devices.access': JSON.stringify([
      { devices: ['*'], publish: ['#'], subscribe: ['#'] },
      { devices: ['dashboard-*'], publish: [], subscribe: ['$SYS/#'] }
    ])
  })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

describe.each(mosquittoVersions)('%s', version => {
  const topic = (name: string) => `${version}/${name}`
  const clientId = (name: string) => `${name}-${version}`
  let mosquitto: Mosquitto

  beforeAll(async () => {
    mosquitto = new Mosquitto(server.ports.mqtt, version)
    if (tools.every(toolIsHere)) await mosquitto.prepare()
  })

  withTools('each QoS in and out: what is published at one is received at the lower of the two', async () => {
    const t = topic('qos')
    const format = '%q %p'
    await using at0 = await mosquitto.subscribe({ filters: [t], format, args: ['-q', '0'] })
    await using at1 = await mosquitto.subscribe({ filters: [t], format, args: ['-q', '1'] })
    await using at2 = await mosquitto.subscribe({ filters: [t], format, args: ['-q', '2'] })
    for (const qos of ['0', '1', '2']) await mosquitto.publish(['-t', t, '-q', qos, '-m', `sent at ${qos}`])
    expect(await at0.until('0 sent at 2')).toEqual(['0 sent at 0', '0 sent at 1', '0 sent at 2'])
    expect(await at1.until('1 sent at 2')).toEqual(['0 sent at 0', '1 sent at 1', '1 sent at 2'])
    expect(await at2.until('2 sent at 2')).toEqual(['0 sent at 0', '1 sent at 1', '2 sent at 2'])
  })

  withTools('a retained message is kept, replaced and cleared', async () => {
    const t = topic('retained')
    await using live = await mosquitto.subscribe({ filters: [t] })
    for (const message of ['old', 'new']) await mosquitto.publish(['-t', t, '-q', '1', '-r', '-m', message])
    {
      await using late = await mosquitto.subscribe({ filters: [t] })
      expect(await late.until(/new/)).toEqual([`${t} 0 1 new`])
    }
    await mosquitto.publish(['-t', t, '-q', '1', '-r', '-n'])
    await using last = await mosquitto.subscribe({ filters: [t] })
    await mosquitto.publish(['-t', t, '-q', '1', '-m', 'live'])
    expect(await last.until(/live/)).toEqual([`${t} 0 0 live`])
    expect(await live.until(/live/)).toEqual([`${t} 0 0 old`, `${t} 0 0 new`, `${t} 0 0 `, `${t} 0 0 live`])
  })

  withTools('a will is published when its client is killed, not when it says goodbye', async () => {
    const t = topic('wills')
    await using watcher = await mosquitto.subscribe({ filters: [`${t}/#`], args: ['-q', '2'] })
    const qos2Retained = ['--will-qos', '2', '--will-retain']
    const will = (name: string) => {
      const what = ['--will-topic', `${t}/${name}`, '--will-payload', 'gone', ...qos2Retained]
      return ['-i', clientId(name), ...what]
    }
    await mosquitto.publish([...will('polite'), '-t', topic('unused'), '-q', '1', '-m', 'last words'])
    const killed = await mosquitto.subscribe({ filters: [topic('unused')], args: will('killed') })
    await killed.tool.kill9()
    expect(await watcher.until(/killed/)).toEqual([`${t}/killed 2 0 gone`])
    await using late = await mosquitto.subscribe({ filters: [`${t}/#`], args: ['-q', '2'] })
    expect(await late.until(/killed/)).toEqual([`${t}/killed 2 1 gone`])
  })

  withTools('a durable session gets what it missed, at the QoS it was sent, in order for each', async () => {
    const t = topic('durable')
    const session = ['-c', '-i', clientId('durable'), '-q', '2', '-t', t]
    const first = await mosquitto.run('mosquitto_sub', [...session, '-E'])
    expect(first).toEqual({ code: 0, output: '' })
    for (const [index, qos] of ['1', '2', '0', '1', '2'].entries())
      await mosquitto.publish(['-t', t, '-q', qos, '-m', `message ${index}`])
    const { code, output } = await mosquitto.run('mosquitto_sub', [...session, '-C', '4', '-F', '%q %p'])
    // mosquitto_sub shows a QoS 2 message when its exchange is over, so only within one QoS it keeps the order.
    expect({ code, lines: output.trim().split('\n').toSorted() }).toEqual({
      code: 0,
      lines: ['1 message 0', '1 message 3', '2 message 1', '2 message 4']
    })
    for (const qos of ['1', '2']) {
      const shown = output.split('\n').filter(line => line.startsWith(qos))
      expect(shown).toEqual(shown.toSorted())
    }
  })

  withTools('1,000 lines keep their order, at each QoS', async () => {
    const t = topic('lines')
    await using subscriber = await mosquitto.subscribe({
      filters: [`${t}/+`],
      format: '%t %p',
      args: ['-q', '2']
    })
    const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`)
    for (const qos of ['0', '1', '2'])
      await mosquitto.publish(['-t', `${t}/${qos}`, '-q', qos, '-l'], { input: `${lines.join('\n')}\n` })
    await eventually(() => subscriber.heard.length >= 3000, { what: 'all lines', everyMs: 50 })
    // At QoS 0 nobody waits for the server: what is published next, on another connection, may overtake.
    for (const qos of ['0', '1', '2']) {
      const heard = subscriber.heard.filter(line => line.startsWith(`${t}/${qos} `))
      expect(heard).toEqual(lines.map(line => `${t}/${qos} ${line}`))
    }
  })

  withTools('200 kB pass unchanged', async () => {
    const t = topic('large')
    const content = randomBytes(200_000)
    const file = join(folder.path, `${version}.bin`)
    await writeFile(file, content)
    await using subscriber = await mosquitto.subscribe({ filters: [t], format: '%l %x', args: ['-q', '2'] })
    for (const qos of ['0', '1', '2']) await mosquitto.publish(['-t', t, '-q', qos, '-f', file])
    await eventually(() => subscriber.heard.length >= 3, { what: 'three large messages' })
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    for (const line of subscriber.heard) {
      const [length, hex = ''] = line.split(' ')
      expect([length, digest(Buffer.from(hex, 'hex'))]).toEqual(['200000', digest(content)])
    }
  })

  withTools('a request is answered', async () => {
    const requests = topic('requests')
    const answers = topic('answers')
    await using responder = await mosquitto.subscribe({
      filters: [requests],
      format: '%p|%R|%D',
      args: ['-q', '1']
    })
    const correlation = version === 'mqttv5' ? ['-D', 'publish', 'correlation-data', 'request-7'] : []
    const asking = mosquitto.run(
      'mosquitto_rr',
      ['-t', requests, '-e', answers, '-m', 'how warm?', '-q', '1', '-F', '%t %p %D', correlation].flat()
    )
    const [request = ''] = await responder.until(/how warm/)
    const [, responseTopic = '', correlationData = ''] = request.split('|')
    if (version === 'mqttv5') {
      expect(request).toBe(`how warm?|${answers}|request-7`)
      const properties = ['-D', 'publish', 'correlation-data', correlationData]
      await mosquitto.publish(['-t', responseTopic, '-q', '1', '-m', '21.5', ...properties])
      expect(await asking).toEqual({ code: 0, output: `${answers} 21.5 request-7\n` })
    } else {
      await mosquitto.publish(['-t', answers, '-q', '1', '-m', '21.5'])
      expect(await asking).toEqual({ code: 0, output: `${answers} 21.5 \n` })
    }
  })

  withTools('members of a shared subscription get every message once, and together', async () => {
    const t = topic('shared')
    const member = () =>
      mosquitto.subscribe({ filters: [`$share/group/${t}`], format: '%p', args: ['-q', '1'] })
    await using first = await member()
    await using second = await member()
    await using third = await member()
    await using everything = await mosquitto.subscribe({ filters: [t], format: '%p', args: ['-q', '1'] })
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`)
    await mosquitto.publish(['-t', t, '-q', '1', '-l'], { input: `${lines.join('\n')}\n` })
    expect(await everything.until('line 299')).toEqual(lines)
    const heard = () => [first, second, third].map(each => each.heard)
    await eventually(() => heard().flat().length >= lines.length, { what: 'all by the group' })
    expect(heard().flat().toSorted()).toEqual(lines.toSorted())
    for (const part of heard()) expect(part.length).toBeGreaterThan(0)
  })

  withTools('$SYS topics are for who may see them', async () => {
    const args = ['-t', '$SYS/#', '-q', '1']
    const refused = await mosquitto.run('mosquitto_sub', [...args, '-i', clientId('nobody'), '-C', '1'])
    expect(refused.output).toMatch(/all subscription requests were denied/i)
    const dashboardId = `dashboard-${version}`
    const format = ['-F', '%r %t %p', '-i', dashboardId]
    const dashboard = mosquitto.start('mosquitto_sub', [...args, ...format])
    await using _ = dashboard
    await eventually(() => dashboard.lines.some(line => line.startsWith('1 $SYS/broker/version ')), {
      what: '$SYS'
    })
    const uptimes = () => dashboard.lines.filter(line => line.startsWith('0 $SYS/broker/uptime '))
    await eventually(() => uptimes().length > 0, { what: 'the next uptime' })
    expect(dashboard.lines.filter(line => line.includes(dashboardId))).toEqual([])
  })

  withTools('a wrong password is told by the exit code, the right one is let in', async () => {
    const id = clientId('pump')
    const { status, body } = await server.ask('/v1/devices', { body: { id } })
    expect(status).toBe(201)
    const { token } = body as { token: string }
    const message = ['-t', topic('pumps'), '-q', '1', '-m', 'on', '-u', id]
    const wrong = await mosquitto.run('mosquitto_pub', [...message, '-P', 'wrong'])
    expect(wrong.output).toMatch(/bad user ?name or password/i)
    expect(wrong.code).toBe(version === 'mqttv5' ? 0x86 : 4)
    await using subscriber = await mosquitto.subscribe({
      filters: [topic('pumps')],
      args: ['-u', id, '-P', token]
    })
    const right = await mosquitto.run('mosquitto_pub', [...message, '-P', token])
    expect(right).toEqual({ code: 0, output: '' })
    expect(await subscriber.until(/on$/)).toEqual([`${topic('pumps')} 0 0 on`])
  })
})
