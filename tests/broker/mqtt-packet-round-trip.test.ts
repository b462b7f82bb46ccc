// What mqtt-packet writes, the packet decoder reads as the same packet; and no bytes make it throw or look elsewhere.
import { describe, expect, test } from '@jest/globals'
import { generate, type Packet } from 'mqtt-packet'
import { Random } from '../../devices-sim/random.ts'
import { decode, decodeWhole, type Version } from './mqtt-packet-bytes.ts'

type Json = Record<string, unknown>

/** Random packets of a client. */
class Packets {
  readonly #random: Random
  readonly version: Version

  constructor(seed: string, version: Version) {
    this.#random = new Random(seed, version, 'packets')
    this.version = version
  }

  next(): Json {
    const messageId = this.integer(1, 65_535)
    switch (this.integer(0, 9)) {
      case 0:
        return this.#connect()
      case 1:
      case 2:
        return this.#publish()
      case 3: {
        const subscriptions = this.#some(() => this.#subscription())
        const properties = this.#properties({ subscriptionIdentifier: this.integer(1, 268_435_455) })
        return { cmd: 'subscribe', messageId, subscriptions, ...properties }
      }
      case 4: {
        const unsubscriptions = this.#some(() => this.#filter())
        return { cmd: 'unsubscribe', messageId, unsubscriptions, ...this.#properties({}) }
      }
      case 5:
        return { cmd: 'pingreq' }
      case 6: {
        const properties = { sessionExpiryInterval: this.integer(0, 0xffff_ffff), reasonString: this.#text() }
        return { cmd: 'disconnect', reasonCode: this.#reason([0, 4, 0x80]), ...this.#properties(properties) }
      }
      case 7:
        return this.version === 5 ? this.#auth() : { cmd: 'pingreq' }
      default: {
        const cmd = this.#one(['puback', 'pubrec', 'pubrel', 'pubcomp'])
        const reasonCode = this.#reason(cmd === 'puback' || cmd === 'pubrec' ? [0, 0x10, 0x97] : [0, 0x92])
        return { cmd, messageId, reasonCode, ...this.#properties({ reasonString: this.#text() }) }
      }
    }
  }

  integer(low: number, high: number): number {
    return Math.floor(this.#random.between(low, high + 1))
  }

  #one<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.integer(0, values.length - 1)] ?? values[0]
  }

  #some<Value>(make: () => Value): Value[] {
    return Array.from({ length: this.integer(1, 4) }, make)
  }

  #flag(): boolean {
    return this.#random.chance(0.5)
  }

  #text(): string {
    const parts = ['a', 'Z', '7', ' ', 'ü', '€', '漢', '😀', '\ufeff', '\u0001'] as const
    return Array.from({ length: this.integer(1, 12) }, () => this.#one(parts)).join('')
  }

  #bytes(): Buffer {
    return Buffer.from(Array.from({ length: this.integer(0, 200) }, () => this.integer(0, 255)))
  }

  #topic(): string {
    return this.#some(() => this.#text()).join('/')
  }

  #filter(): string {
    const filter = this.#some(() => (this.#flag() ? '+' : this.#text())).join('/')
    return this.#flag() ? `${filter}/#` : filter
  }

  // mqtt-packet groups by name, so each name is used once or several times in a row.
  #properties(all: Json): { properties?: Json } {
    if (this.version < 5 || this.#flag()) return {}
    const properties: Json = Object.fromEntries(Object.entries(all).filter(() => this.#flag()))
    if (this.#flag()) {
      properties['userProperties'] = this.#some(() => `${this.#text()}-`).flatMap((name, index) =>
        this.#some(() => [`${name}${index}`, this.#text()])
      )
    }
    return Object.keys(properties).length === 0 ? {} : { properties }
  }

  #reason(codes: readonly [number, ...number[]]): number {
    return this.version === 5 ? this.#one(codes) : 0
  }

  #message(): Json {
    return {
      payloadFormatIndicator: this.#flag(),
      messageExpiryInterval: this.integer(0, 0xffff_ffff),
      contentType: this.#text(),
      responseTopic: this.#topic(),
      correlationData: this.#bytes()
    }
  }

  #publish(): Json {
    const qos = this.integer(0, 2)
    return {
      cmd: 'publish',
      topic: this.#topic(),
      payload: this.#bytes(),
      qos,
      retain: this.#flag(),
      dup: qos > 0 && this.#flag(),
      ...(qos > 0 && { messageId: this.integer(1, 65_535) }),
      ...this.#properties({ ...this.#message(), topicAlias: this.integer(1, 65_535) })
    }
  }

  #subscription(): Json {
    const options = this.version === 5 && this.#flag()
    return {
      topic: this.#filter(),
      qos: this.integer(0, 2),
      nl: options && this.#flag(),
      rap: options && this.#flag(),
      rh: options ? this.integer(0, 2) : 0
    }
  }

  #connect(): Json {
    const properties = this.#properties({
      sessionExpiryInterval: this.integer(0, 0xffff_ffff),
      receiveMaximum: this.integer(1, 65_535),
      maximumPacketSize: this.integer(1, 0xffff_ffff),
      topicAliasMaximum: this.integer(0, 65_535),
      requestResponseInformation: this.#flag(),
      requestProblemInformation: this.#flag(),
      authenticationMethod: this.#text()
    })
    const will = {
      topic: this.#topic(),
      payload: this.#bytes(),
      qos: this.integer(0, 2),
      retain: this.#flag(),
      ...this.#properties({ ...this.#message(), willDelayInterval: this.integer(0, 0xffff_ffff) })
    }
    const named = this.#flag()
    return {
      cmd: 'connect',
      protocolId: this.version === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion: this.version,
      clientId: this.#text(),
      clean: this.#flag(),
      keepalive: this.integer(0, 65_535),
      ...(named && { username: this.#text() }),
      ...(named && this.#flag() && { password: this.#bytes() }),
      ...(this.#flag() && { will }),
      ...properties
    }
  }

  #auth(): Json {
    const { properties } = this.#properties({ authenticationData: this.#bytes(), reasonString: this.#text() })
    return {
      cmd: 'auth',
      reasonCode: this.#one([0x18, 0x19]),
      properties: { authenticationMethod: this.#text(), ...properties }
    }
  }
}

/** A packet as mqtt-packet wants it: user properties by name. */
function written(packet: Json, version: Version): Buffer {
  const byName = ({ properties, ...rest }: Json): Json => {
    if (properties === undefined) return rest
    const { userProperties, ...others } = properties as Json
    if (userProperties === undefined) return { ...rest, properties }
    const names: Record<string, string[]> = {}
    for (const [name, value] of userProperties as [string, string][]) (names[name] ??= []).push(value)
    return { ...rest, properties: { ...others, userProperties: names } }
  }
  const { will, ...rest } = byName(packet)
  const whole = will === undefined ? rest : { ...rest, will: byName(will as Json) }
  return generate(whole as unknown as Packet, { protocolVersion: version })
}

describe.each([3, 4, 5] as const)('MQTT protocol level %i', version => {
  test('what mqtt-packet writes is read as the same packet', () => {
    const packets = new Packets('round trip', version)
    const seen = new Set<unknown>()
    for (let count = 0; count < 3000; count++) {
      const packet = packets.next()
      seen.add(packet['cmd'])
      expect(decodeWhole(written(packet, version), version)).toEqual(packet)
    }
    expect(seen.size).toBe(version === 5 ? 11 : 10)
  })

  test('changed bytes are read or refused by what is inside the packet alone', () => {
    const packets = new Packets('changed bytes', version)
    let refused = 0
    for (let count = 0; count < 5000; count++) {
      const bytes = written(packets.next(), version)
      for (let changes = packets.integer(1, 3); changes > 0; changes--) {
        bytes[packets.integer(0, bytes.length - 1)] = packets.integer(0, 255)
      }
      const inside = bytes.subarray(2, packets.integer(2, bytes.length))
      const found = decode(bytes[0] ?? 0, inside, version, 0)
      expect(decode(bytes[0] ?? 0, inside, version, 0x61)).toEqual(found)
      if (found.cmd === 'malformed') refused++
    }
    expect(refused).toBeGreaterThan(1000)
    expect(refused).toBeLessThan(5000)
  })
})
