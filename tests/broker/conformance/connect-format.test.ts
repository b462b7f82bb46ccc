// Section 3.1, the form of CONNECT: what is refused, and how. MQTT 5 is told why in CONNACK; earlier versions are not,
// except for a protocol level that is not supported.
import { describe, expect, test } from '@jest/globals'
import { hashToken } from '../../../store/credentials.ts'
import { rawMqtt, type RawMqtt } from '../raw-mqtt.ts'
import { connackCode, connected, endCode, publish, sharedServer, subscribe, told } from './suite.ts'
import {
  bytes,
  connectBytes,
  noProperties,
  packet,
  properties,
  publishBytes,
  subscribeBytes,
  text,
  uint16,
  uint32,
  versions,
  type ConnectParts,
  type Version
} from './wire.ts'

const server = sharedServer()

async function sending(version: Version, ...sent: Buffer[]): Promise<RawMqtt> {
  const client = await rawMqtt(server().port, version)
  client.sendBytes(...sent)
  return client
}

const flag = {
  clean: 0x02,
  will: 0x04,
  willQos1: 0x08,
  willQos3: 0x18,
  willRetain: 0x20,
  password: 0x40,
  user: 0x80
}

describe.each(versions)('CONNECT at protocol level %i', version => {
  const id = text(`form-${version}`)
  const will = [noProperties(version), text('will/form'), text('gone')]

  // Refused with this code in MQTT 5, without any answer before.
  async function refused(code: number, parts: Omit<ConnectParts, 'version'>): Promise<void> {
    const client = await sending(version, connectBytes({ version, ...parts }))
    expect(await endCode(client)).toBe(told(version, code))
    expect(client.received.length > 0).toBe(version === 5)
  }

  async function accepted(parts: Omit<ConnectParts, 'version'>): Promise<void> {
    const client = await sending(version, connectBytes({ version, ...parts }))
    expect(await connackCode(client)).toBe(0)
    client.socket.end()
  }

  test('[MQTT-3.1.0-1] another packet in its place ends the connection', async () => {
    const first = [
      publishBytes({ version, topic: 't' }),
      subscribeBytes(version, 'f'),
      packet(0xc0),
      packet(0xe0),
      packet(0x62, uint16(1))
    ]
    for (const whole of first) {
      const client = await sending(version, whole)
      await client.end()
      expect(client.received).toHaveLength(0)
    }
  })

  test('[MQTT-3.1.0-2] a second one is a protocol error', async () => {
    const connect = connectBytes({ version, payload: [id] })
    const client = await sending(version, connect)
    await client.next('connack')
    client.sendBytes(connect)
    expect(await endCode(client)).toBe(told(version, 0x82))
    expect(client.all('connack')).toHaveLength(1)
    const both = await sending(version, connect, connect)
    await both.end()
  })

  test('[MQTT-3.1.2-1] an unknown protocol name ends the connection', async () => {
    for (const protocolName of ['', 'mqtt', 'MQTTT', 'MQIsdP', 'HTTP/1']) {
      const client = await sending(version, connectBytes({ version, protocolName, payload: [id] }))
      await client.end()
      expect(client.all('connack').some(({ returnCode }) => returnCode === 0)).toBe(false)
    }
  })

  test('[MQTT-3.1.2-3] the reserved flag must be 0', async () => {
    await refused(0x81, { flags: flag.clean | 1, payload: [id] })
  })

  test('[MQTT-3.1.2-9] a will flag promises a will', async () => {
    await refused(0x81, { flags: flag.clean | flag.will, payload: [id] })
    await refused(0x81, { flags: flag.clean | flag.will, payload: [id, ...will.slice(0, 2)] })
  })

  test('[3.1.1: MQTT-3.1.2-11] without the will flag there is no will', async () => {
    await refused(0x81, { payload: [id, ...will] })
  })

  test('[MQTT-3.1.2-12] [3.1.1: MQTT-3.1.2-14] the will’s QoS is not 3', async () => {
    await refused(0x81, { flags: flag.clean | flag.will | flag.willQos3, payload: [id, ...will] })
  })

  test('[MQTT-3.1.2-16] [3.1.1: MQTT-3.1.2-18] without its flag there is no user name', async () => {
    await refused(0x81, { payload: [id, text('user')] })
  })

  test('[MQTT-3.1.2-18] [3.1.1: MQTT-3.1.2-20] without its flag there is no password', async () => {
    await refused(0x81, { flags: flag.clean | flag.user, payload: [id, text('user'), text('secret')] })
  })

  test('[MQTT-3.1.3-3] a client id is there', async () => {
    await refused(0x81, { payload: [] })
  })

  test('[MQTT-3.1.3-11] [3.1.1: MQTT-3.1.3-10] the will’s topic is UTF-8', async () => {
    const payload = [id, noProperties(version), text(bytes(0x61, 0xff)), text('gone')]
    await refused(0x81, { flags: flag.clean | flag.will, payload })
  })

  test('[MQTT-3.1.3-12] [3.1.1: MQTT-3.1.3-11] the user name is UTF-8', async () => {
    await refused(0x81, { flags: flag.clean | flag.user, payload: [id, text(bytes(0x61, 0xff))] })
  })

  test('[MQTT-3.1.3-4] the client id is UTF-8', async () => {
    await refused(0x81, { payload: [text(bytes(0x61, 0xff))] })
  })

  test('the will’s topic is a topic name', async () => {
    for (const topic of ['', 'a/+', 'a/#', '#']) {
      const payload = [id, noProperties(version), text(topic), text('gone')]
      await refused(0x90, { flags: flag.clean | flag.will, payload })
    }
  })

  test('[MQTT-3.1.4-1] [3.1.1: MQTT-3.2.2-6] a CONNECT that is too short or too long ends the connection', async () => {
    await refused(0x81, { payload: [id, bytes(0)] })
    await refused(0x81, { payload: [bytes(0, 9), Buffer.from('short')] })
    const client = await sending(
      version,
      packet(0x10, text(version === 3 ? 'MQIsdp' : 'MQTT'), bytes(version))
    )
    expect(await endCode(client)).toBe(told(version, 0x81))
  })

  test('[MQTT-3.1.3-1] [MQTT-3.1.2-17] [MQTT-3.1.2-19] its fields stand in one order', async () => {
    const flags = flag.clean | flag.will | flag.willQos1 | flag.user | flag.password
    const watcher = await connected(server(), `order-watcher-${version}`, 4)
    watcher.send(subscribe(`order/${version}`, 1))
    await watcher.next('suback')
    await server().store.devices.put({ id: `order-${version}`, tokenHash: hashToken('secret'), createdAt: 0 })
    const payload = [id, noProperties(version), text(`order/${version}`), text('gone')]
    const fields = [...payload, text(`order-${version}`), text('secret')]
    const client = await sending(version, connectBytes({ version, flags, payload: fields }))
    expect(await connackCode(client)).toBe(0)
    client.socket.resetAndDestroy()
    expect((await watcher.next('publish')).payload.toString()).toBe('gone')
  })

  test('empty values are values: will, user name and password of no bytes', async () => {
    const flags = flag.clean | flag.will
    await accepted({ flags, payload: [id, noProperties(version), text('will/empty'), text('')] })
  })
})

describe.each([4, 5] as const)('CONNECT at protocol level %i, which is stricter than MQTT 3.1', version => {
  const id = text(`strict-${version}`)

  test('[MQTT-3.1.2-11] [3.1.1: MQTT-3.1.2-13] without a will its QoS is 0', async () => {
    for (const qos of [0x08, 0x10, 0x18]) {
      const client = await sending(version, connectBytes({ version, flags: flag.clean | qos, payload: [id] }))
      expect([told(version, 0x81), told(version, 0x82)]).toContain(await endCode(client))
    }
  })

  test('[MQTT-3.1.2-13] [3.1.1: MQTT-3.1.2-15] without a will its retain flag is 0', async () => {
    const flags = flag.clean | flag.willRetain
    const client = await sending(version, connectBytes({ version, flags, payload: [id] }))
    expect([told(version, 0x81), told(version, 0x82)]).toContain(await endCode(client))
  })

  test('[MQTT-3.1.2-17] [3.1.1: MQTT-3.1.2-19] its flag promises a user name', async () => {
    const flags = flag.clean | flag.user
    const client = await sending(version, connectBytes({ version, flags, payload: [id] }))
    expect(await endCode(client)).toBe(told(version, 0x81))
  })

  test('[MQTT-3.1.2-19] [3.1.1: MQTT-3.1.2-21] its flag promises a password', async () => {
    const flags = flag.clean | flag.user | flag.password
    const client = await sending(version, connectBytes({ version, flags, payload: [id, text('user')] }))
    expect(await endCode(client)).toBe(told(version, 0x81))
  })
})

describe('what the versions differ in', () => {
  test.each([3, 4] as const)(
    '[3.1.1: MQTT-3.1.2-22] there is no password without a user name (level %i)',
    async version => {
      const flags = flag.clean | flag.password
      const client = await sending(version, connectBytes({ version, flags, payload: [text('c'), text('x')] }))
      await client.end()
      expect(client.received).toHaveLength(0)
    }
  )

  test('MQTT 5 has passwords without user names', async () => {
    const flags = flag.clean | flag.password
    const payload = [text('password-only'), text('x')]
    const client = await sending(5, connectBytes({ version: 5, flags, payload }))
    expect([0, 0x86]).toContain(await connackCode(client))
  })

  test.each([0, 1, 2, 6, 0x83, 0x84, 0xff])(
    '[MQTT-3.1.2-2] protocol level %i is answered with return code 1',
    async level => {
      const client = await sending(4, connectBytes({ version: 4, level, payload: [text('c')] }))
      await client.end()
      expect(client.received).toEqual(bytes(0x20, 2, 0, 1))
    }
  )

  test.each<[string, Buffer, number]>([
    ['receive maximum 0', bytes(0x21, 0, 0), 0x82],
    ['maximum packet size 0', Buffer.concat([bytes(0x27), uint32(0)]), 0x82],
    ['request problem information 2', bytes(0x17, 2), 0x82],
    ['request response information 2', bytes(0x19, 2), 0x82],
    ['the same property twice', bytes(0x21, 0, 9, 0x21, 0, 9), 0x82],
    ['authentication data without a method', Buffer.concat([bytes(0x16), text('x')]), 0x82],
    ['a property of another packet', bytes(0x23, 0, 1), 0x81],
    ['a property that is cut short', bytes(0x21, 0), 0x81],
    ['an unknown property', bytes(0x7f, 0), 0x81]
  ])('[MQTT-3.1.4-1] refused in MQTT 5: %s', async (_what, property, code) => {
    const connect = { version: 5 as const, properties: properties(property), payload: [text('c')] }
    expect(await endCode(await sending(5, connectBytes(connect)))).toBe(code)
  })

  test('a will’s properties stand before its topic, and are those of a message', async () => {
    const withWill = (property: Buffer) =>
      connectBytes({
        version: 5,
        flags: flag.clean | flag.will,
        payload: [text('c'), properties(property), text('w'), text('')]
      })
    expect(await endCode(await sending(5, withWill(bytes(0x01, 2))))).toBe(0x82)
    expect(await endCode(await sending(5, withWill(bytes(0x21, 0, 9))))).toBe(0x81)
    expect(await connackCode(await sending(5, withWill(bytes(0x01, 1))))).toBe(0)
  })
})

describe('a CONNECT that is refused', () => {
  test.each(versions)(
    '[MQTT-3.1.4-6] [3.1.1: MQTT-3.1.4-5] nothing behind it is handled (level %i)',
    async version => {
      const topic = `behind/${version}`
      const watcher = await connected(server(), `watcher-${version}`, 4)
      watcher.send(subscribe(topic, 0))
      await watcher.next('suback')
      const flags = flag.clean | flag.user | flag.password
      const user = `behind-${version}`
      await server().store.devices.put({ id: user, tokenHash: hashToken('right'), createdAt: 0 })
      const payload = [text('c'), text(user), text('wrong')]
      const client = await sending(
        version,
        connectBytes({ version, flags, payload }),
        publishBytes({ version, topic, payload: 'sneaked in' }),
        subscribeBytes(version, topic)
      )
      expect(await endCode(client)).toBe(version === 5 ? 0x86 : 4)
      expect(client.packets).toHaveLength(1)
      watcher.send(publish(topic, 'after'))
      expect((await watcher.next('publish')).payload.toString()).toBe('after')
    }
  )
})
