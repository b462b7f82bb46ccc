import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { Authorizer } from '../../broker/authorize.ts'
import { loadConfig, type ConfigSources, type Problem } from '../../config/config.ts'
import type { Config } from '../../config/schema.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'

interface Given extends Partial<Omit<ConfigSources, 'file'>> {
  yaml?: string
}

async function load({ yaml, env = {}, flags = {} }: Given) {
  await using folder = await temporaryFolder()
  if (yaml === undefined) return loadConfig({ env, flags })
  const file = join(folder.path, 'tocsin.yaml')
  await writeFile(file, yaml)
  const loaded = loadConfig({ file, env, flags })
  if (!loaded.ok)
    for (const problem of loaded.problems) problem.where = problem.where.replace(file, 'tocsin.yaml')
  return loaded
}

async function configOf(given: Given): Promise<Config> {
  const loaded = await load(given)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

async function problemsOf(given: Given): Promise<Problem[]> {
  const loaded = await load(given)
  return loaded.ok ? [] : loaded.problems
}

describe('precedence', () => {
  const yaml = 'mqtt:\n  port: 1\ntcp:\n  port: 2\nhttp:\n  port: 3\n  flushMs: 45\n'

  test('the environment overrides the file, and flags override both', async () => {
    const env = { TOCSIN_TCP__PORT: '22', TOCSIN_HTTP__PORT: '33' }
    const config = await configOf({ yaml, env, flags: { 'http.port': '333' } })
    expect([config.mqtt.port, config.tcp.port, config.http.port]).toEqual([1, 22, 333])
  })

  test('overriding one setting leaves its neighbours', async () => {
    const config = await configOf({ yaml, env: { TOCSIN_HTTP__PORT: '33' } })
    expect(config.http.flushMs).toBe(45)
  })

  test('camelCase keys are UPPER_SNAKE in the environment', async () => {
    const env = { TOCSIN_HTTP__FLUSH_MS: '35ms', TOCSIN_EVENT_LOOP__BLOCK_WARN_MS: '1s' }
    const config = await configOf({ env })
    expect([config.http.flushMs, config.eventLoop.blockWarnMs]).toEqual([35, 1000])
  })

  test('what is missing everywhere has its default', async () => {
    const config = await configOf({ yaml: 'mqtt:\n' })
    expect([config.mqtt.port, config.tcp.port, config.http.port, config.store.dir]).toEqual([
      1883,
      7883,
      8080,
      'data'
    ])
  })
})

describe('$SYS topics', () => {
  test('are looked at every 10 s, or as configured; 0 switches them off', async () => {
    expect((await configOf({})).mqtt.sysIntervalMs).toBe(10_000)
    expect((await configOf({ yaml: 'mqtt:\n  sysIntervalMs: 1m\n' })).mqtt.sysIntervalMs).toBe(60_000)
    expect((await configOf({ flags: { 'mqtt.sysIntervalMs': '0' } })).mqtt.sysIntervalMs).toBe(0)
  })

  test('are closed by default, and open to whom a rule names with them', async () => {
    const dashboard = { device: 'dashboard', user: 'dashboard', clientId: 'screen', anonymous: false }
    const pump = { device: 'pump', user: 'pump', clientId: 'pump', anonymous: false }
    const { devices } = await configOf({})
    expect(new Authorizer(devices.access).maySubscribe(dashboard, '$SYS/#')).toBe(false)
    const yaml =
      "devices:\n  access:\n    - subscribe: ['#']\n    - devices: ['dashboard']\n      subscribe: ['$SYS/#']\n"
    const authorizer = new Authorizer((await configOf({ yaml })).devices.access)
    expect(authorizer.maySubscribe(dashboard, '$SYS/#')).toBe(true)
    expect(authorizer.maySubscribe(pump, '$SYS/#')).toBe(false)
  })
})

describe('values', () => {
  test('durations and sizes are taken with and without a unit', async () => {
    const yaml =
      'store:\n  retentionAgeMs: 36h\n  waitingBytesMax: 2MiB\nmqtt:\n  sessionExpiryMaxS: 1d\n  keepaliveMaxS: 60\n'
    const { store, mqtt } = await configOf({ yaml })
    expect([store.retentionAgeMs, store.waitingBytesMax]).toEqual([129_600_000, 2_097_152])
    expect([mqtt.sessionExpiryMaxS, mqtt.keepaliveMaxS]).toEqual([86_400, 60])
  })

  test('lists are separated by commas in text', async () => {
    const config = await configOf({
      flags: { 'http.allowedOrigins': 'https://a.example, https://b.example' }
    })
    expect(config.http.allowedOrigins).toEqual(['https://a.example', 'https://b.example'])
  })

  test('access rules can be given as text in YAML', async () => {
    const config = await configOf({
      env: { TOCSIN_DEVICES__ACCESS: '[{devices: [pump-*], publish: ["site/%c/#"]}]' }
    })
    expect(config.devices.access).toEqual([{ devices: ['pump-*'], publish: ['site/%c/#'], subscribe: [] }])
  })

  test.each([
    ['mqtt.port', '99999', 'must be between 0 and 65535; it is 99999'],
    ['mqtt.port', 'high', 'must be a whole number between 0 and 65535; it is "high"'],
    ['mqtt.port', '', 'must be a whole number between 0 and 65535; it is ""'],
    ['mqtt.enabled', 'yes', 'must be true or false; it is "yes"'],
    ['http.flushMs', '1 fortnight', 'must be a duration'],
    ['http.bodyBytesMax', '3 kg', 'must be a size'],
    ['http.bodyBytesMax', '1B', 'must be between 1024 and 268435456 bytes; it is 1'],
    ['log.level', 'loud', 'must be one of debug, info, warn, error, silent; it is "loud"'],
    ['store.dir', '', 'must be text']
  ])('%s can not be %j', async (path, value, message) => {
    const [problem, ...others] = await problemsOf({ flags: { [path]: value } })
    expect(others).toEqual([])
    expect(problem).toMatchObject({ path, where: `--${path}` })
    expect(problem?.message).toContain(message)
  })
})

describe('problems', () => {
  test('are reported at once, each with its path and where it was written', async () => {
    const yaml = 'mqtt:\n  prot: 1\n  port: high\ntcp: 3\nhttp:\n  host:\n'
    const problems = await problemsOf({
      yaml,
      env: { TOCSIN_STORE__DRI: '/tmp', TOCSIN_HTTP__PORT: '-1' },
      flags: { 'log.level': 'loud' }
    })
    expect(problems.map(({ path, where }) => `${path} ${where}`).sort()).toEqual([
      'TOCSIN_STORE__DRI TOCSIN_STORE__DRI',
      'http.host tocsin.yaml, line 6',
      'http.port TOCSIN_HTTP__PORT',
      'log.level --log.level',
      'mqtt.port tocsin.yaml, line 3',
      'mqtt.prot tocsin.yaml, line 2',
      'tcp tocsin.yaml, line 4'
    ])
  })

  test.each([
    ['mqtt:\n  prot: 1\n', 'mqtt.port'],
    ['mqt:\n  port: 1\n', 'mqtt'],
    ['http:\n  offlineDelayMs: 1\n', 'devices.offlineDelayMs'],
    ['store:\n  dri: x\n', 'store.dir'],
    ['devices:\n  access:\n    - publsh: [a]\n', 'devices.access.0.publish']
  ])('an unknown key in %j suggests %s', async (yaml, suggestion) => {
    const [problem] = await problemsOf({ yaml })
    expect(problem?.message).toBe(`is no setting; did you mean ${suggestion}?`)
  })

  test('a name like none suggests nothing', async () => {
    const [problem] = await problemsOf({ flags: { 'carburettor.mixture': '1' } })
    expect(problem?.message).toBe('is no setting')
  })

  test('YAML that does not parse is reported with its line', async () => {
    const [problem] = await problemsOf({ yaml: 'mqtt:\n  port: 1\n  port: 2\n' })
    expect(problem).toMatchObject({ path: '', where: 'tocsin.yaml, line 3' })
  })

  test('a file that holds no sections is refused', async () => {
    const [problem] = await problemsOf({ yaml: '- mqtt\n' })
    expect(problem?.message).toContain('must hold sections')
  })

  test('a file that is not there is a problem, not an exception', () => {
    expect(loadConfig({ file: '/nowhere/tocsin.yaml', env: {}, flags: {} })).toEqual({
      ok: false,
      problems: [{ path: '', message: "can't be read: there is no such file", where: '/nowhere/tocsin.yaml' }]
    })
  })

  test('variables that Kubernetes sets for a service named tocsin are not ours', async () => {
    expect(
      await problemsOf({ env: { TOCSIN_PORT: 'tcp://10.0.0.1:1883', TOCSIN_SERVICE_HOST: '10.0.0.1' } })
    ).toEqual([])
  })
})

describe('settings together', () => {
  test.each(['mqtt', 'tcp', 'http'])(
    'anonymous devices are refused while %s can be reached from elsewhere',
    async part => {
      const [problem, ...others] = await problemsOf({
        env: { [`TOCSIN_${part.toUpperCase()}__HOST`]: '0.0.0.0' }
      })
      expect(others).toEqual([])
      expect(problem?.path).toBe('devices.anonymous')
      expect(problem?.message).toContain(`${part}.host is 0.0.0.0; set devices.anonymous to false`)
    }
  )

  test('a protocol that is off does not count as a device port', async () => {
    expect(await problemsOf({ flags: { 'tcp.host': '0.0.0.0', 'tcp.enabled': 'false' } })).toEqual([])
  })

  test.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost', '::ffff:127.0.0.1'])(
    '%s is loopback',
    async host => {
      expect(await problemsOf({ flags: { 'mqtt.host': host } })).toEqual([])
    }
  )

  test.each(['10.0.0.1', '::', 'localhost.example', '1127.0.0.1'])('%s is not loopback', async host => {
    expect(await problemsOf({ flags: { 'mqtt.host': host } })).toHaveLength(1)
    expect(await problemsOf({ flags: { 'mqtt.host': host, 'devices.anonymous': 'false' } })).toEqual([])
  })

  test('two parts can not have one port', async () => {
    const [problem] = await problemsOf({ flags: { 'tcp.port': '8080' } })
    expect(problem).toMatchObject({
      path: 'http.port',
      message: 'is 8080, and so is tcp.port; give each its own'
    })
    expect(await problemsOf({ flags: { 'tcp.port': '0', 'http.port': '0', 'mqtt.port': '0' } })).toEqual([])
  })

  test('access rules hold topic filters', async () => {
    const yaml = 'devices:\n  access:\n    - publish: [a/#]\n      subscribe: [b, "#/c"]\n'
    const [problem] = await problemsOf({ yaml })
    expect(problem).toMatchObject({ path: 'devices.access.0.subscribe.1', where: 'tocsin.yaml, line 4' })
  })

  test('open bytes leave room for the largest packet', async () => {
    const [problem] = await problemsOf({ flags: { 'limits.openBytesMax': '1KiB' } })
    expect(problem?.path).toBe('limits.openBytesMax')
  })

  test('an address for links is one', async () => {
    const [problem] = await problemsOf({ flags: { 'http.publicUrl': 'tocsin.example.org' } })
    expect(problem).toMatchObject({ path: 'http.publicUrl', where: '--http.publicUrl' })
    const deep = { 'http.publicUrl': 'https://tocsin.example.org/tocsin' }
    expect(await problemsOf({ flags: deep })).toMatchObject([{ path: 'http.publicUrl' }]) // the console is at /
    expect(await problemsOf({ flags: { ...deep, 'http.console': 'false' } })).toEqual([])
    expect((await configOf({ yaml: "http:\n  publicUrl: ''\n" })).http.publicUrl).toBe('')
  })

  test('a mail server needs a sender, and a user a password', async () => {
    const yaml = 'mail:\n  host: smtp.example.org\n  user: tocsin\n'
    const problems = await problemsOf({ yaml })
    expect(problems.map(({ path }) => path)).toEqual(['mail.from', 'mail.passwordFile'])
    expect(await problemsOf({ yaml: `${yaml}  passwordFile: secret\n  from: a@example.org\n` })).toEqual([])
  })

  test('the longest pause between attempts is no shorter than the first', async () => {
    const [problem] = await problemsOf({ flags: { 'delivery.retryMaxMs': '500ms' } })
    expect(problem?.path).toBe('delivery.retryMaxMs')
  })
})
