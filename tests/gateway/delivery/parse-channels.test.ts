import { describe, expect, test } from '@jest/globals'
import { openChannel } from '../../../gateway/delivery/open-channel.ts'
import { channelContext, channelsOf, openOne } from './sample-notice.ts'
import type { ContextOverrides } from './sample-notice.ts'

describe('channels of a file', () => {
  test('are read with all their parts', () => {
    const { plans, problems } = channelsOf(`
- name: duty
  webhook: {url: "https://pager.example/hook?a=b", secretFile: duty.secret, authorizationFile: duty.token, format: alertmanager}
- {name: chat, webhook: {urlFile: chat.url, template: {headers: {X-Tags: bell}, body: "{title}"}}}
- {name: boss, email: {to: boss@example.org, cc: [a@example.org, b@example.org]}}
- {name: siren, mqtt: {topic: site/hall/siren}}
- {name: lamp, mqtt: {topic: site/hall/lamp, qos: 0, retain: true}}
`)
    expect(problems).toEqual([])
    expect(plans).toEqual([
      {
        type: 'webhook',
        name: 'duty',
        line: 2,
        url: { text: 'https://pager.example/hook?a=b' },
        secretFile: 'duty.secret',
        authorizationFile: 'duty.token',
        format: { is: 'alertmanager' }
      },
      expect.objectContaining({
        name: 'chat',
        url: { file: 'chat.url' },
        secretFile: null,
        authorizationFile: null,
        format: expect.objectContaining({ is: 'template', headers: { 'x-tags': 'bell' } })
      }),
      {
        type: 'email',
        name: 'boss',
        line: 5,
        to: ['boss@example.org'],
        cc: ['a@example.org', 'b@example.org']
      },
      { type: 'mqtt', name: 'siren', line: 6, topic: 'site/hall/siren', qos: 1, retain: false },
      { type: 'mqtt', name: 'lamp', line: 7, topic: 'site/hall/lamp', qos: 0, retain: true }
    ])
  })

  test('report every problem at once, with its line', () => {
    const { plans, problems } = channelsOf(`
- {name: a b, mqtt: {topic: t}}
- {name: two, mqtt: {topic: t}, email: {to: a@example.org}}
- {name: none}
- {mqtt: {topic: t}}
- {name: two, mqtt: {topic: t}}
- {name: m1, mqtt: {topic: site/+/x, qos: 3, retain: 1}}
- {name: m2, mqtt: {topic: $SYS/x}}
- {name: e1, email: {to: "a@example.org, b@example.org"}}
- {name: e2, email: {cc: a@example.org}}
- {name: e3, email: {to: []}}
- {name: w1, webhook: {url: ftp://a.example}}
- {name: w2, webhook: {url: "https://user:hunter2@a.example"}}
- {name: w3, webhook: {url: https://a.example, urlFile: f, format: tocsim}}
- {name: w4, webhook: {secretFile: f, template: {body: x}, format: tocsin}}
- {name: w5, webhok: {url: https://a.example}}
- {name: w6, webhook: {url: https://a.example, template: {body: x, headers: {Authorization: t, Host: h, "a b": c, X-A: "{title}", X-B: "ü"}}}}
- 5
`)
    expect(plans.map(({ name }) => name)).toEqual(['two'])
    expect(problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '2 [0].name: must be 1 to 100 letters, digits, ., - and _',
      '3 [1].mqtt: can’t be beside email: a channel has one type',
      '4 [2]: needs one of webhook, email and mqtt',
      '5 [3]: needs name',
      '6 [4].name: "two" is the name of the channel at line 3, too',
      '7 [5].mqtt.topic: must be a topic name, without + and #',
      '7 [5].mqtt.qos: must be a whole number from 0 to 2; it is 3',
      '7 [5].mqtt.retain: must be true or false; it is 1',
      '8 [6].mqtt.topic: can’t begin with $: such topics are the server’s own',
      '9 [7].email.to: "a@example.org, b@example.org" is not a mail address such as name@example.org',
      '10 [8].email: needs to',
      '11 [9].email: needs somebody in to',
      '12 [10].webhook.url: must be a URL that begins with https:// or http://',
      '13 [11].webhook.url: can’t have a user or a password in it; put what is secret into a file and name it in authorizationFile',
      '14 [12].webhook.urlFile: can’t be beside url',
      '14 [12].webhook.format: must be one of tocsin, alertmanager; it is "tocsim"',
      '15 [13].webhook: needs url, or urlFile',
      '15 [13].webhook.template: can’t be beside format',
      '16 [14].webhok: is unknown; did you mean webhook?',
      '16 [14]: needs one of webhook, email and mqtt',
      '17 [15].webhook.template.headers.Authorization: can’t be set: authorizationFile sets it, so that no secret stands in this file',
      '17 [15].webhook.template.headers.Host: can’t be set',
      '17 [15].webhook.template.headers.a b: is not a header’s name',
      '17 [15].webhook.template.headers.X-A: is sent as it is written: names in braces are for body alone',
      '17 [15].webhook.template.headers.X-B: must be ASCII on one line, at most 1000 characters',
      '18 [16]: must be a mapping; it is 5'
    ])
  })
})

describe('opening a channel', () => {
  test.each<[string, string, ContextOverrides, RegExp]>([
    [
      'a private address',
      '{url: "http://192.168.1.1/x"}',
      { settings: { allowPrivateAddresses: false } },
      /^192\.168\.1\.1 is a private address, where webhooks go only if delivery\.allowPrivateAddresses is true$/
    ],
    [
      'a private address in a file',
      '{urlFile: f}',
      { settings: { allowPrivateAddresses: false }, secrets: { f: 'http://[::1]/x' } },
      /^::1 is a loopback address/
    ],
    [
      'a secret that is not there',
      '{url: "http://a.example", secretFile: f}',
      {},
      /^the secret in f can't be read/
    ],
    [
      'a secret that can’t be a key',
      '{url: "http://a.example", secretFile: f}',
      { secrets: { f: 'whsec_hunter2!' } },
      /^the secret begins with whsec_, and what follows is not base64$/
    ],
    [
      'a token that can’t be a header',
      '{url: "http://a.example", authorizationFile: f}',
      { secrets: { f: 'hunter2\nX-Other: 1' } },
      /^what is in f can’t be sent as the header Authorization$/
    ],
    [
      'a URL in a file that is none',
      '{urlFile: f}',
      { secrets: { f: 'hunter2' } },
      /^the URL in f must be a URL that begins with https/
    ]
  ])('fails with a sentence without secrets for %s', async (_what, webhook, overrides, message) => {
    const failure = openOne(`- {name: a, webhook: ${webhook}}`, overrides)
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.not.toThrow('hunter2')
  })

  test('fails for mail while the settings name no server or no sender', async () => {
    const [plan] = channelsOf('- {name: a, email: {to: a@example.org}}').plans
    if (plan === undefined) throw new Error('no plan')
    await expect(openChannel(plan, channelContext())).rejects.toThrow('mail.host is not set')
    await expect(openChannel(plan, channelContext({ mail: { host: 'mail.example' } }))).rejects.toThrow(
      'mail.from is not set'
    )
  })
})
