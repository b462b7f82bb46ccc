// What the packet decoder makes of bytes: each rule on the form of what a client sends, in MQTT 3.1, 3.1.1 and 5.0.
import { describe, expect, test } from '@jest/globals'
import {
  body,
  connect,
  counted,
  decode,
  properties,
  uint16,
  uint32,
  type Part,
  type Version
} from './mqtt-packet-bytes.ts'

const all: readonly Version[] = [3, 4, 5]
const before5: readonly Version[] = [3, 4]
const only5: readonly Version[] = [5]

const MALFORMED = 0x81
const PROTOCOL = 0x82
const UNSUPPORTED = 0x84
const FILTER = 0x8f
const TOPIC = 0x90
const ALIAS = 0x94

const text = (value: string) => [...Buffer.from(value)]
/** The empty properties, where the version has any. */
const none = (version: Version) => (version === 5 ? [0] : [])

const publish =
  (topic: Part, payload: Part = []) =>
  (version: Version) =>
    body(topic, none(version), payload)
const publish1 =
  (id: number, topic: Part = 'a') =>
  (version: Version) =>
    body(topic, uint16(id), none(version), text('x'))
const publish5 = (topic: Part, ...its: Part[]) =>
  [only5, 0x30, () => body(topic, properties(...its), text('x'))] as const
const requests =
  (...parts: Part[]) =>
  (version: Version) =>
    body(uint16(7), none(version), ...parts)
const subscribe5 = (its: Part[], ...parts: Part[]) =>
  [only5, 0x82, () => body(uint16(7), properties(...its), ...parts)] as const
const connect5 = (...its: Part[]) => [only5, 0x10, () => connect(5, 2, ['c'], its)] as const
const will5 = (...its: Part[]) =>
  [only5, 0x10, () => connect(5, 6, ['c', properties(...its), 'w', 'x'])] as const
const plain =
  (flags: number, ...payload: Part[]) =>
  (version: Version) =>
    connect(version, flags, payload)
const withWill =
  (flags: number, topic: Part, ...after: Part[]) =>
  (version: Version) =>
    connect(version, flags, ['c', none(version), topic, 'gone', ...after])
const ack5 = (header: number, ...parts: Part[]) => [only5, header, () => body(uint16(7), ...parts)] as const
const bytes5 = (header: number, ...parts: Part[]) => [only5, header, () => body(...parts)] as const

type Bytes = (version: Version) => Buffer
type Vector = readonly [versions: readonly Version[], header: number, bytes: Bytes]
type Valid = readonly [what: string, vector: Vector, packet: object | ((version: Version) => object)]

const connected = (version: Version) => ({
  cmd: 'connect',
  protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
  protocolVersion: version,
  clientId: 'c',
  clean: true,
  keepalive: 60
})
const published = { cmd: 'publish', topic: 'a', payload: Buffer.from('x'), qos: 0, retain: false, dup: false }
const request = { topic: 'a', qos: 0, nl: false, rap: false, rh: 0 }
const subscribed = (...subscriptions: object[]) => ({ cmd: 'subscribe', messageId: 7, subscriptions })
const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false }
const user = (name: Part, value: Part) => body(0x26, name, value)

const valid: Valid[] = [
  ['a CONNECT', [all, 0x10, plain(0x02, 'c')], connected],
  [
    'a CONNECT that goes on with its session',
    [all, 0x10, plain(0, 'c')],
    v => ({ ...connected(v), clean: false })
  ],
  ['an empty client id', [all, 0x10, plain(0, '')], v => ({ ...connected(v), clean: false, clientId: '' })],
  [
    'a client id of more than 23 characters',
    [all, 0x10, plain(2, 'c'.repeat(300))],
    v => ({ ...connected(v), clientId: 'c'.repeat(300) })
  ],
  ['a will', [all, 0x10, withWill(0x06, 'w')], v => ({ ...connected(v), will })],
  [
    'all fields of a CONNECT',
    [all, 0x10, withWill(0xf6, 'w', 'me', counted(0, 0xff))],
    v => ({
      ...connected(v),
      will: { ...will, qos: 2, retain: true },
      username: 'me',
      password: Buffer.of(0, 0xff)
    })
  ],
  ['a user name alone', [all, 0x10, plain(0x82, 'c', 'me')], v => ({ ...connected(v), username: 'me' })],
  [
    'a password alone',
    [only5, 0x10, plain(0x42, 'c', 'pw')],
    v => ({ ...connected(v), password: Buffer.from('pw') })
  ],
  ['flags of a user name and password that are missing, in 3.1', [[3], 0x10, plain(0xc2, 'c')], connected],
  [
    'the flag of a password that is missing, in 3.1',
    [[3], 0x10, plain(0xc2, 'c', 'me')],
    v => ({ ...connected(v), username: 'me' })
  ],
  ['QoS and retain of no will, in 3.1', [[3], 0x10, plain(0x2a, 'c')], connected],
  [
    'the properties of CONNECT',
    connect5(
      [0x11, ...uint32(4_294_967_295), 0x21, ...uint16(65_535), 0x27, ...uint32(1), 0x22, ...uint16(0)],
      [0x19, 1, 0x17, 0],
      user('b', '1'),
      body(0x15, 'method', 0x16, counted(0, 1)),
      user('a', '2')
    ),
    {
      ...connected(5),
      properties: {
        sessionExpiryInterval: 4_294_967_295,
        receiveMaximum: 65_535,
        maximumPacketSize: 1,
        topicAliasMaximum: 0,
        requestResponseInformation: true,
        requestProblemInformation: false,
        authenticationMethod: 'method',
        authenticationData: Buffer.of(0, 1),
        userProperties: [
          ['b', '1'],
          ['a', '2']
        ]
      }
    }
  ],
  [
    'the properties of a will',
    will5(
      [0x18, ...uint32(5), 0x01, 1, 0x02, ...uint32(6)],
      body(0x03, 'text/plain', 0x08, 'answers', 0x09, counted(0, 9)),
      user('k', 'v')
    ),
    {
      ...connected(5),
      will: {
        ...will,
        payload: Buffer.from('x'),
        properties: {
          willDelayInterval: 5,
          payloadFormatIndicator: true,
          messageExpiryInterval: 6,
          contentType: 'text/plain',
          responseTopic: 'answers',
          correlationData: Buffer.of(0, 9),
          userProperties: [['k', 'v']]
        }
      }
    }
  ],
  ['a PUBLISH', [all, 0x30, publish('a', text('x'))], published],
  [
    'a retained PUBLISH without payload',
    [all, 0x31, publish('a')],
    { ...published, retain: true, payload: Buffer.of() }
  ],
  ['a PUBLISH at QoS 1', [all, 0x32, publish1(1)], { ...published, qos: 1, messageId: 1 }],
  [
    'a repetition at QoS 2',
    [all, 0x3c, publish1(65_535)],
    { ...published, qos: 2, dup: true, messageId: 65_535 }
  ],
  [
    'a topic in several scripts, with a byte order mark and controls',
    [all, 0x30, publish('\ufeffä/漢/😀/\u0001\u007f\u0085\uffff', text('x'))],
    { ...published, topic: '\ufeffä/漢/😀/\u0001\u007f\u0085\uffff' }
  ],
  [
    'the longest topic',
    [all, 0x30, publish('t'.repeat(65_535), text('x'))],
    { ...published, topic: 't'.repeat(65_535) }
  ],
  [
    'a payload that is not what the format indicator says',
    bytes5(0x30, 'a', [2, 1, 1], [0xff]),
    {
      ...published,
      payload: Buffer.of(0xff),
      properties: { payloadFormatIndicator: true }
    }
  ],
  [
    'a topic alias with its topic',
    publish5('a', [0x23, 0, 1]),
    { ...published, properties: { topicAlias: 1 } }
  ],
  [
    'a topic alias alone',
    publish5('', [0x23, 0xff, 0xff]),
    {
      ...published,
      topic: '',
      properties: { topicAlias: 65_535 }
    }
  ],
  [
    'the properties of PUBLISH, user properties in order, with any name',
    publish5(
      'a',
      user('b', '1'),
      [0x02, ...uint32(0), 0x01, 0],
      user('__proto__', '2'),
      body(0x03, '', 0x08, 'answers', 0x09, counted()),
      user('10', '3'),
      user('b', '1'),
      user('2', ''),
      user('', '4')
    ),
    {
      ...published,
      properties: {
        messageExpiryInterval: 0,
        payloadFormatIndicator: false,
        contentType: '',
        responseTopic: 'answers',
        correlationData: Buffer.of(),
        userProperties: [
          ['b', '1'],
          ['__proto__', '2'],
          ['10', '3'],
          ['b', '1'],
          ['2', ''],
          ['', '4']
        ]
      }
    }
  ],
  ...([0x40, 0x50, 0x62, 0x70] as const).flatMap((header, index): Valid[] => {
    const packet = { cmd: ['puback', 'pubrec', 'pubrel', 'pubcomp'][index], messageId: 7, reasonCode: 0 }
    const codes = index < 2 ? [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99] : [0, 0x92]
    return [
      [`a ${packet.cmd}`, [all, header, () => body(uint16(7))], packet],
      ...codes.map((reasonCode): Valid => [
        `a ${packet.cmd} with reason code ${reasonCode}`,
        ack5(header, reasonCode),
        { ...packet, reasonCode }
      ]),
      [`a ${packet.cmd} with no properties`, ack5(header, 0, 0), packet],
      [
        `a ${packet.cmd} with properties`,
        ack5(header, 0, properties(0x1f, 'why', user('a', 'b'))),
        { ...packet, properties: { reasonString: 'why', userProperties: [['a', 'b']] } }
      ]
    ]
  }),
  ['a SUBSCRIBE', [all, 0x82, requests('a', 0)], subscribed(request)],
  [
    'a SUBSCRIBE to several filters',
    [all, 0x82, requests('#', 1, '+/b/+', 2, '/', 0)],
    subscribed(
      { ...request, topic: '#', qos: 1 },
      { ...request, topic: '+/b/+', qos: 2 },
      { ...request, topic: '/' }
    )
  ],
  [
    'subscription options',
    [only5, 0x82, requests('a', 0x2d, 'b', 0x12)],
    subscribed({ topic: 'a', qos: 1, nl: true, rap: true, rh: 2 }, { ...request, topic: 'b', qos: 2, rh: 1 })
  ],
  [
    'the properties of SUBSCRIBE',
    subscribe5([[0x0b, 0xff, 0xff, 0xff, 0x7f], user('a', 'b')], 'a', 0),
    {
      ...subscribed(request),
      properties: { subscriptionIdentifier: 268_435_455, userProperties: [['a', 'b']] }
    }
  ],
  [
    'a shared subscription',
    [all, 0x82, requests('$share/group $1/+/#', 1)],
    subscribed({ ...request, topic: '$share/group $1/+/#', qos: 1 })
  ],
  [
    'a filter that only looks shared',
    [all, 0x82, requests('$share', 0)],
    subscribed({ ...request, topic: '$share' })
  ],
  ['a repeated SUBSCRIBE of 3.1', [[3], 0x8a, requests('a', 0)], subscribed(request)],
  [
    'an UNSUBSCRIBE',
    [all, 0xa2, requests('a', '$share/g/#')],
    {
      cmd: 'unsubscribe',
      messageId: 7,
      unsubscriptions: ['a', '$share/g/#']
    }
  ],
  [
    'the properties of UNSUBSCRIBE',
    bytes5(0xa2, uint16(7), properties(user('a', 'b')), 'a'),
    {
      cmd: 'unsubscribe',
      messageId: 7,
      unsubscriptions: ['a'],
      properties: { userProperties: [['a', 'b']] }
    }
  ],
  [
    'a repeated UNSUBSCRIBE of 3.1',
    [[3], 0xaa, requests('a')],
    {
      cmd: 'unsubscribe',
      messageId: 7,
      unsubscriptions: ['a']
    }
  ],
  [
    'a repeated PUBREL of 3.1',
    [[3], 0x6a, () => body(uint16(7))],
    { cmd: 'pubrel', messageId: 7, reasonCode: 0 }
  ],
  ['a PINGREQ', [all, 0xc0, () => body()], { cmd: 'pingreq' }],
  ['a DISCONNECT', [all, 0xe0, () => body()], { cmd: 'disconnect', reasonCode: 0 }],
  ...[0, 4, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99].map(
    (reasonCode): Valid => [
      `a DISCONNECT with reason code ${reasonCode}`,
      bytes5(0xe0, reasonCode),
      { cmd: 'disconnect', reasonCode }
    ]
  ),
  [
    'the properties of DISCONNECT',
    bytes5(0xe0, 4, properties([0x11, ...uint32(9)], 0x1f, 'why', user('a', 'b'))),
    {
      cmd: 'disconnect',
      reasonCode: 4,
      properties: { sessionExpiryInterval: 9, reasonString: 'why', userProperties: [['a', 'b']] }
    }
  ],
  [
    'an AUTH',
    bytes5(0xf0, 0x18, properties(0x15, 'method', 0x16, counted(1), 0x1f, 'why', user('a', 'b'))),
    {
      cmd: 'auth',
      reasonCode: 0x18,
      properties: {
        authenticationMethod: 'method',
        authenticationData: Buffer.of(1),
        reasonString: 'why',
        userProperties: [['a', 'b']]
      }
    }
  ],
  [
    'an AUTH that begins again',
    bytes5(0xf0, 0x19, properties(0x15, 'm')),
    {
      cmd: 'auth',
      reasonCode: 0x19,
      properties: { authenticationMethod: 'm' }
    }
  ]
]

/** Strings that are none, by what is wrong with them. */
const notText: [what: string, bytes: number[]][] = [
  ['a NUL', [0x61, 0]],
  ['a byte that begins nothing', [0x61, 0x80]],
  ['half a character', [0x61, 0xc3]],
  ['a longer form than needed', [0xc0, 0xaf]],
  ['a NUL in a longer form', [0xc0, 0x80]],
  ['a high surrogate', [0xed, 0xa0, 0x80]],
  ['a low surrogate', [0xed, 0xbf, 0xbf]],
  ['a pair of surrogates', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]]
]

const textFields: [what: string, ...vector: [readonly Version[], number, (bytes: number[]) => Bytes]][] = [
  ['protocol name', all, 0x10, bytes => () => body(counted(...bytes), 4, 2, 0, 60, 'c')],
  ['client id', all, 0x10, bytes => plain(2, counted(...bytes))],
  ['will topic', all, 0x10, bytes => withWill(6, counted(...bytes))],
  ['user name', all, 0x10, bytes => plain(0x82, 'c', counted(...bytes))],
  ['topic name', all, 0x30, bytes => publish(counted(...bytes))],
  ['topic filter', all, 0x82, bytes => requests(counted(...bytes), 0)],
  ['topic filter of UNSUBSCRIBE', all, 0xa2, bytes => requests(counted(...bytes))],
  ['content type', only5, 0x30, bytes => () => body('a', properties(0x03, counted(...bytes)))],
  ['response topic', only5, 0x30, bytes => () => body('a', properties(0x08, counted(...bytes)))],
  ['user property’s name', only5, 0x30, bytes => () => body('a', properties(user(counted(...bytes), 'v')))],
  ['user property’s value', only5, 0x30, bytes => () => body('a', properties(user('n', counted(...bytes))))],
  ['authentication method', only5, 0x10, bytes => () => connect(5, 2, ['c'], [0x15, counted(...bytes)])],
  ['reason string', only5, 0x40, bytes => () => body(uint16(7), 0, properties(0x1f, counted(...bytes)))]
]

type Refused = readonly [what: string, vector: Vector, code: number]

const badFilters = ['', 'a#', '#/a', 'a/#/b', 'a+', '+a', 'a/+b/c', '##', '++']
const badShares = [
  '$share/',
  '$share/g',
  '$share/g/',
  '$share//a',
  '$share/+/a',
  '$share/g+/a',
  '$share/#/a',
  '$share/#'
]

const refused: Refused[] = [
  ['packet type 0', [all, 0x00, () => body()], MALFORMED],
  ...[0x20, 0x90, 0xb0, 0xd0].map((header): Refused => [
    `packet type ${header >> 4}, which only a server sends`,
    [all, header, () => body()],
    PROTOCOL
  ]),
  ['AUTH before MQTT 5', [before5, 0xf0, () => body(0x18, properties(0x15, 'm'))], MALFORMED],
  ...[
    [0x10, plain(2, 'c')],
    [0x40, () => body(uint16(7))],
    [0x50, () => body(uint16(7))],
    [0x70, () => body(uint16(7))],
    [0xc0, () => body()],
    [0xe0, () => body()]
  ].flatMap(([header, bytes]) =>
    Array.from({ length: 15 }, (_, flags): Refused => [
      `flags ${flags + 1} of packet type ${Number(header) >> 4}`,
      [all, Number(header) + flags + 1, bytes as Bytes],
      MALFORMED
    ])
  ),
  ...Array.from({ length: 15 }, (_, flags): Refused => [
    `flags ${flags + 1} of AUTH`,
    bytes5(0xf1 + flags, 0x18, properties(0x15, 'm')),
    MALFORMED
  ]),
  ...[
    [0x60, () => body(uint16(7))],
    [0x80, requests('a', 0)],
    [0xa0, requests('a')]
  ].flatMap(([header, bytes]) =>
    Array.from({ length: 16 }, (_, flags): Refused => [
      `flags ${flags} of packet type ${Number(header) >> 4}`,
      [(flags & 6) === 2 ? [4, 5] : all, Number(header) + flags, bytes as Bytes],
      MALFORMED
    ]).filter((_, flags) => flags !== 2)
  ),

  ['another protocol’s name', [all, 0x10, () => body('MQTTX', 4, 2, 0, 60, 'c')], UNSUPPORTED],
  ['a protocol name in small letters', [all, 0x10, () => body('mqtt', 4, 2, 0, 60, 'c')], UNSUPPORTED],
  ['the reserved connect flag', [all, 0x10, plain(3, 'c')], MALFORMED],
  ['QoS of no will', [[4, 5], 0x10, plain(0x0a, 'c')], PROTOCOL],
  ['retain of no will', [[4, 5], 0x10, plain(0x22, 'c')], PROTOCOL],
  ['QoS 3 of a will', [all, 0x10, withWill(0x1e, 'w')], MALFORMED],
  ['a password without a user name', [before5, 0x10, plain(0x42, 'c', 'pw')], PROTOCOL],
  ['flags of a user name that is missing', [[4, 5], 0x10, plain(0x82, 'c')], MALFORMED],
  ['flags of a password that is missing', [[4, 5], 0x10, plain(0xc2, 'c', 'me')], MALFORMED],
  ['half a user name', [all, 0x10, plain(0x82, 'c', [0])], MALFORMED],
  ['a will that is missing', [all, 0x10, plain(6, 'c')], MALFORMED],
  ['an empty will topic', [all, 0x10, withWill(6, '')], TOPIC],
  ['a will topic with a wildcard', [all, 0x10, withWill(6, 'a/+')], TOPIC],
  ['a CONNECT without a client id', [all, 0x10, version => connect(version, 2, [])], MALFORMED],
  ['bytes behind a CONNECT', [all, 0x10, plain(2, 'c', 0)], MALFORMED],
  ['an empty CONNECT', [all, 0x10, () => body()], MALFORMED],
  ['receive maximum 0', connect5(0x21, 0, 0), PROTOCOL],
  ['maximum packet size 0', connect5(0x27, uint32(0)), PROTOCOL],
  ['request response information 2', connect5(0x19, 2), PROTOCOL],
  ['request problem information 2', connect5(0x17, 2), PROTOCOL],
  ['authentication data without a method', connect5(0x16, counted(1)), PROTOCOL],
  ['a will’s response topic with a wildcard', will5(0x08, 'a/#'), TOPIC],

  ['QoS 3', [all, 0x36, publish1(1)], MALFORMED],
  ['DUP at QoS 0', [all, 0x38, publish('a')], PROTOCOL],
  ['packet id 0 at QoS 1', [all, 0x32, publish1(0)], PROTOCOL],
  ['packet id 0 at QoS 2', [all, 0x34, publish1(0)], PROTOCOL],
  ['a missing packet id', [all, 0x32, () => body('a')], MALFORMED],
  ['half a packet id', [all, 0x32, () => body('a', 1)], MALFORMED],
  ['a topic longer than the packet', [all, 0x30, () => body([0, 2], text('a'))], MALFORMED],
  ['an empty PUBLISH', [all, 0x30, () => body()], MALFORMED],
  ['a topic name with +', [all, 0x30, publish('a/+')], TOPIC],
  ['a topic name with #', [all, 0x30, publish('a#b')], TOPIC],
  ['an empty topic name', [before5, 0x30, publish('')], TOPIC],
  ['an empty topic name without alias', [only5, 0x30, publish('')], PROTOCOL],
  ['an empty topic name with other properties', publish5('', [0x01, 1]), PROTOCOL],
  ['topic alias 0', publish5('a', 0x23, 0, 0), ALIAS],
  ['a response topic with a wildcard', publish5('a', 0x08, 'a/+/b'), TOPIC],
  ['an empty response topic', publish5('a', 0x08, ''), TOPIC],
  ['payload format indicator 2', publish5('a', 0x01, 2), PROTOCOL],
  ['a subscription identifier from a client', publish5('a', 0x0b, 1), PROTOCOL],
  ['no property length', [only5, 0x30, () => body('a')], MALFORMED],

  ...[0x40, 0x50, 0x62, 0x70].flatMap((header): Refused[] => [
    [`packet id 0 in packet type ${header >> 4}`, [all, header, () => body(0, 0)], PROTOCOL],
    [`a short packet of type ${header >> 4}`, [all, header, () => body(7)], MALFORMED],
    [`an empty packet of type ${header >> 4}`, [all, header, () => body()], MALFORMED],
    [`a reason code in packet type ${header >> 4}`, [before5, header, () => body(0, 7, 0)], MALFORMED],
    [`another reason code in packet type ${header >> 4}`, ack5(header, 0x8e), PROTOCOL],
    [`bytes behind the properties of packet type ${header >> 4}`, ack5(header, 0, 0, 0), MALFORMED]
  ]),
  ['a PUBREC’s reason code in PUBREL', ack5(0x62, 0x97), PROTOCOL],
  ['a PUBREL’s reason code in PUBREC', ack5(0x50, 0x92), PROTOCOL],

  ['packet id 0 in SUBSCRIBE', [all, 0x82, version => body(0, 0, none(version), 'a', 0)], PROTOCOL],
  ['packet id 0 in UNSUBSCRIBE', [all, 0xa2, version => body(0, 0, none(version), 'a')], PROTOCOL],
  ['a SUBSCRIBE to nothing', [all, 0x82, requests()], PROTOCOL],
  ['an UNSUBSCRIBE from nothing', [all, 0xa2, requests()], PROTOCOL],
  ['a filter without options', [all, 0x82, requests('a')], MALFORMED],
  ['a second filter without options', [all, 0x82, requests('a', 0, 'b')], MALFORMED],
  ['half a filter', [all, 0xa2, requests('a', [0, 2, 0x61])], MALFORMED],
  ['QoS 3 of a subscription', [all, 0x82, requests('a', 3)], PROTOCOL],
  ...[4, 8, 16, 32, 64, 128].map((bit): Refused => [
    `bit ${bit} of the requested QoS`,
    [bit < 64 ? before5 : all, 0x82, requests('a', bit)],
    MALFORMED
  ]),
  ['retain handling 3', [only5, 0x82, requests('a', 0x30)], PROTOCOL],
  ['no local on a shared subscription', [only5, 0x82, requests('$share/g/a', 4)], PROTOCOL],
  ['subscription identifier 0', subscribe5([0x0b, 0], 'a', 0), PROTOCOL],
  ...[...badFilters, ...badShares].flatMap((filter): Refused[] => [
    [`the filter "${filter}"`, [all, 0x82, requests('a', 0, filter, 0)], FILTER],
    [`the filter "${filter}" in UNSUBSCRIBE`, [all, 0xa2, requests('a', filter)], FILTER]
  ]),

  ['bytes behind a PINGREQ', [all, 0xc0, () => body(0)], MALFORMED],
  ['bytes in a DISCONNECT', [before5, 0xe0, () => body(0)], MALFORMED],
  ['bytes behind a DISCONNECT', bytes5(0xe0, 0, 0, 0), MALFORMED],
  ...[1, 0x10, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9c, 0xa2, 0xff].map((code): Refused => [
    `reason code ${code} in DISCONNECT`,
    bytes5(0xe0, code),
    PROTOCOL
  ]),
  ['a server reference in DISCONNECT', bytes5(0xe0, 0, properties(0x1c, 'b')), PROTOCOL],
  ['an empty AUTH, which means success', bytes5(0xf0), PROTOCOL],
  ['success in AUTH', bytes5(0xf0, 0, properties(0x15, 'm')), PROTOCOL],
  ['an AUTH without method', bytes5(0xf0, 0x18), PROTOCOL],
  ['an AUTH with data only', bytes5(0xf0, 0x18, properties(0x16, counted(1))), PROTOCOL],
  ['bytes behind an AUTH', bytes5(0xf0, 0x18, properties(0x15, 'm'), 0), MALFORMED],

  ['a property length beyond the packet', bytes5(0x30, 'a', 3, [0x01, 0]), MALFORMED],
  ['a property beyond the property length', bytes5(0x30, 'a', 2, [0x23, 0, 1], text('x')), MALFORMED],
  ['a string beyond the property length', bytes5(0x30, 'a', 4, 0x03, 'text/plain'), MALFORMED],
  ['a property length in five bytes', bytes5(0x30, 'a', [0x80, 0x80, 0x80, 0x80, 0]), MALFORMED],
  ['a property length in more bytes than it needs', bytes5(0x30, 'a', [0x82, 0], [0x01, 0]), MALFORMED],
  ['property length 0 in two bytes', bytes5(0x30, 'a', [0x80, 0]), MALFORMED],
  ['a property length cut short', bytes5(0x30, 'a', [0x80]), MALFORMED],
  [
    'a subscription identifier in five bytes',
    subscribe5([0x0b, [0xff, 0xff, 0xff, 0xff, 1]], 'a', 0),
    MALFORMED
  ],
  ['a subscription identifier in more bytes than it needs', subscribe5([0x0b, 0x81, 0], 'a', 0), MALFORMED],
  ['a property identifier in two bytes', publish5('a', [0x81, 0, 1]), MALFORMED]
]

const vectors = <Row extends readonly [string, Vector, unknown]>(rows: readonly Row[]) =>
  rows.flatMap(([what, [versions, header, bytes], result]) =>
    versions.map(version => ({ what, version, header, bytes: bytes(version), result: result as Row[2] }))
  )

describe('what a client may send', () => {
  test.each(vectors(valid))('MQTT $version: $what', ({ version, header, bytes, result }) => {
    const packet = typeof result === 'function' ? (result as (version: Version) => object)(version) : result
    expect(decode(header, bytes, version)).toEqual(packet)
  })

  test.each(vectors(valid))('MQTT $version: $what, cut short, is read to its end at most', vector => {
    const { version, header, bytes } = vector
    for (let length = 0; length < Math.min(bytes.length, 400); length++) {
      const cut = bytes.subarray(0, length)
      expect(decode(header, cut, version, 0)).toEqual(decode(header, cut, version, 0x61))
    }
  })

  test('a payload is a view of the chunk, and so is a password', () => {
    const publishing = decode(0x30, body('a', text('x')), 4)
    expect(publishing.cmd === 'publish' && publishing.payload.buffer.byteLength).toBeGreaterThan(70)
    const connecting = decode(0x10, connect(4, 0xc2, ['c', 'me', 'pw']), 4)
    expect(connecting.cmd === 'connect' && connecting.password?.buffer.byteLength).toBeGreaterThan(70)
  })
})

describe('what a client may not send', () => {
  test.each(vectors(refused))('MQTT $version: $what', ({ version, header, bytes, result }) => {
    expect(decode(header, bytes, version)).toMatchObject({ cmd: 'malformed', code: result })
  })

  const strings = textFields.flatMap(([field, versions, header, bytes]) =>
    notText.flatMap(([what, string]) =>
      versions.map(version => ({ field, what, version, header, bytes: bytes(string)(version) }))
    )
  )
  test.each(strings)('MQTT $version: $what in a $field', ({ version, header, bytes }) => {
    expect(decode(header, bytes, version)).toMatchObject({ cmd: 'malformed', code: MALFORMED })
  })

  test('the message says what is wrong', () => {
    expect(decode(0x30, body([0, 1, 0xff]), 4)).toMatchObject({ message: 'the topic name is not UTF-8' })
    expect(decode(0x30, body('a', properties(0x23, 0, 0)), 5)).toMatchObject({
      message: 'the topic alias is 0'
    })
  })
})

describe('properties', () => {
  // Where each may stand, and a value.
  const places: Record<string, [header: number, place: (its: Buffer) => Buffer, allowed: number[]]> = {
    connect: [0x10, its => connect(5, 2, ['c'], [its]), [0x11, 0x15, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27]],
    will: [
      0x10,
      its => connect(5, 6, ['c', properties(its), 'w', 'x']),
      [0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26]
    ],
    publish: [0x30, its => body('a', properties(its)), [0x01, 0x02, 0x03, 0x08, 0x09, 0x23, 0x26]],
    puback: [0x40, its => body(uint16(7), 0, properties(its)), [0x1f, 0x26]],
    pubrec: [0x50, its => body(uint16(7), 0, properties(its)), [0x1f, 0x26]],
    pubrel: [0x62, its => body(uint16(7), 0, properties(its)), [0x1f, 0x26]],
    pubcomp: [0x70, its => body(uint16(7), 0, properties(its)), [0x1f, 0x26]],
    subscribe: [0x82, its => body(uint16(7), properties(its), 'a', 0), [0x0b, 0x26]],
    unsubscribe: [0xa2, its => body(uint16(7), properties(its), 'a'), [0x26]],
    disconnect: [0xe0, its => body(0, properties(its)), [0x11, 0x1f, 0x26]],
    auth: [0xf0, its => body(0x18, properties(0x15, 'm', its)), [0x16, 0x1f, 0x26]]
  }
  const values: Record<number, Part[]> = {
    0x01: [1],
    0x02: [uint32(1)],
    0x03: ['a'],
    0x08: ['a'],
    0x09: ['a'],
    0x0b: [1],
    0x11: [uint32(1)],
    0x12: ['a'],
    0x13: [uint16(1)],
    0x15: ['a'],
    0x16: ['a'],
    0x17: [1],
    0x18: [uint32(1)],
    0x19: [1],
    0x1a: ['a'],
    0x1c: ['a'],
    0x1f: ['a'],
    0x21: [uint16(1)],
    0x22: [uint16(1)],
    0x23: [uint16(1)],
    0x24: [1],
    0x25: [1],
    0x26: ['a', 'b'],
    0x27: [uint32(1)],
    0x28: [1],
    0x29: [1],
    0x2a: [1]
  }
  // AUTH and CONNECT need a method beside these, so they are apart.
  const needsMore = (packet: string, identifier: number) =>
    (packet === 'auth' && identifier === 0x15) || (packet === 'connect' && identifier === 0x16)
  const onlyServer = (packet: string, identifier: number) =>
    (packet === 'publish' && identifier === 0x0b) || (packet === 'disconnect' && identifier === 0x1c)

  describe.each(Object.entries(places))('of %s', (packet, [header, at, allowed]) => {
    test('those that have a place there are taken, once', () => {
      for (const identifier of allowed) {
        const one = body(identifier, ...(values[identifier] ?? []))
        expect(decode(header, at(one), 5)).toMatchObject({ cmd: packet === 'will' ? 'connect' : packet })
        const twice = decode(header, at(body(one, one)), 5)
        if (identifier === 0x26) expect(twice).not.toMatchObject({ cmd: 'malformed' })
        else expect(twice).toMatchObject({ cmd: 'malformed', code: PROTOCOL })
      }
    })

    test('all others are refused, unknown ones too', () => {
      for (let identifier = 0; identifier < 256; identifier++) {
        if (allowed.includes(identifier) || needsMore(packet, identifier)) continue
        const code = onlyServer(packet, identifier) ? PROTOCOL : MALFORMED
        const one = body(identifier, ...(values[identifier] ?? [1]))
        expect({ identifier, ...decode(header, at(one), 5) }).toMatchObject({
          identifier,
          cmd: 'malformed',
          code
        })
      }
    })

    test('none of them is there before MQTT 5', () => {
      if (packet === 'connect' || packet === 'will' || packet === 'auth') return
      const bytes = at(body(0x26, 'a', 'b'))
      for (const version of before5) {
        const found = decode(header, bytes, version)
        expect(found.cmd === 'malformed' || (found.cmd === 'publish' && found.payload.length > 5)).toBe(true)
      }
    })
  })
})

describe('how a CONNECT is answered', () => {
  test.each([
    ['MQTT', 0],
    ['MQTT', 3],
    ['MQTT', 6],
    ['MQTT', 0x83],
    ['MQTT', 0x84],
    ['MQTT', 0x85],
    ['MQIsdp', 2],
    ['MQIsdp', 4],
    ['MQIsdp', 5],
    ['MQIsdp', 0x83]
  ])('%s level %i: unacceptable protocol version', (name, level) => {
    expect(decode(0x10, body(name, level, 2, 0, 60, 'c'), 5)).toEqual({
      cmd: 'malformed',
      code: UNSUPPORTED,
      message: expect.any(String),
      connect: { version: 4, returnCode: 1 }
    })
  })

  test('that of an unknown protocol is not', () => {
    expect(decode(0x10, body('HTTP', 4, 2, 0, 60, 'c'), 5)).not.toHaveProperty('connect')
  })

  test('in MQTT 5, whatever is wrong with it', () => {
    for (const [header, bytes] of [
      [0x10, connect(5, 3, ['c'])],
      [0x10, connect(5, 2, [])],
      [0x10, connect(5, 2, ['c'], [0x21, 0, 0])],
      [0x12, connect(5, 2, ['c'])],
      [0x10, body('MQTT', 5)]
    ] as const) {
      expect(decode(header, bytes, 4)).toMatchObject({ cmd: 'malformed', connect: { version: 5 } })
    }
  })

  test('before MQTT 5, by the end of the connection', () => {
    for (const version of before5) {
      expect(decode(0x10, connect(version, 3, ['c']), 5)).not.toHaveProperty('connect')
      expect(decode(0x10, connect(version, 2, []), 5)).not.toHaveProperty('connect')
    }
  })
})
