// What must hold between settings. Each check gives the problems it finds.
import { isTopicFilter } from '../store/topic-filter.ts'
import type { Config } from './schema.ts'

export interface Finding {
  /** The setting to change. */
  path: string
  message: string
}

/** Everything that is wrong with a configuration whose settings are each valid. */
export function checkTogether(config: Config): Finding[] {
  return [
    ...anonymousOffLoopback(config),
    ...samePort(config),
    ...openBytes(config),
    ...publicUrl(config),
    ...mail(config),
    ...retries(config),
    ...accessFilters(config)
  ]
}

interface Listener {
  section: 'mqtt' | 'tcp' | 'http'
  host: string
  port: number
}

function listeners(config: Config): Listener[] {
  return (['mqtt', 'tcp', 'http'] as const)
    .filter(section => section === 'http' || config[section].enabled)
    .map(section => ({ section, host: config[section].host, port: config[section].port }))
}

/** Devices without a token are for a single machine. The HTTP port counts: devices come in there by WebSocket. */
function anonymousOffLoopback(config: Config): Finding[] {
  if (!config.devices.anonymous) return []
  const open = listeners(config).filter(({ host }) => !isLoopback(host))
  if (open.length === 0) return []
  const hosts = open.map(({ section, host }) => `${section}.host is ${host}`).join(' and ')
  return [
    {
      path: 'devices.anonymous',
      message:
        `devices without a token are let in only while every device port listens on loopback, but ${hosts}; ` +
        'set devices.anonymous to false and register devices with "tocsin devices add", or listen on 127.0.0.1'
    }
  ]
}

/** Whether an address to listen on can be reached from this machine only. Of names, only `localhost` is known to be. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(host)
}

function samePort(config: Config): Finding[] {
  const all = listeners(config)
  return all.flatMap((one, index) => {
    const other = all.slice(0, index).find(({ port }) => port === one.port && port !== 0)
    if (other === undefined || (other.host !== one.host && !anyAddress(other.host) && !anyAddress(one.host)))
      return []
    return [
      {
        path: `${one.section}.port`,
        message: `is ${one.port}, and so is ${other.section}.port; give each its own`
      }
    ]
  })
}

function anyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** A limit on unfinished packets below a single packet's limit could never let that packet in. */
function openBytes({ limits, mqtt, tcp }: Config): Finding[] {
  if (limits.openBytesMax === 0) return []
  const largest = Math.max(mqtt.enabled ? mqtt.packetBytesMax : 0, tcp.enabled ? tcp.frameBytesMax : 0)
  if (limits.openBytesMax >= largest) return []
  const message = `is ${limits.openBytesMax}, less than the largest packet or frame that is accepted (${largest})`
  return [{ path: 'limits.openBytesMax', message }]
}

function accessFilters(config: Config): Finding[] {
  return config.devices.access.flatMap((rule, index) =>
    (['publish', 'subscribe'] as const).flatMap(action =>
      rule[action].flatMap((filter, at) => {
        if (isTopicFilter(filter)) return []
        const message = `${JSON.stringify(filter)} is no topic filter: + and # each stand alone between slashes, # last`
        return [{ path: `devices.access.${index}.${action}.${at}`, message }]
      })
    )
  )
}

function publicUrl({ http: { publicUrl, console: withConsole } }: Config): Finding[] {
  if (publicUrl === '') return []
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : null
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '') {
    if (url.pathname === '/' || !withConsole) return []
    const message = `must have no path, because the console is served at /; it is ${JSON.stringify(publicUrl)} (http.console: false switches the console off)`
    return [{ path: 'http.publicUrl', message }]
  }
  const message = `must be an address such as https://tocsin.example.org; it is ${JSON.stringify(publicUrl)}`
  return [{ path: 'http.publicUrl', message }]
}

/** A mail server needs a sender, and a user and a password come together. */
function mail({ mail: { host, from, user, passwordFile } }: Config): Finding[] {
  const findings: Finding[] = []
  if (host !== '' && from === '')
    findings.push({ path: 'mail.from', message: 'is needed with mail.host: set the sender’s address' })
  if ((user === '') !== (passwordFile === ''))
    findings.push({
      path: user === '' ? 'mail.user' : 'mail.passwordFile',
      message: 'is needed too: mail.user and mail.passwordFile belong together'
    })
  return findings
}

function retries({ delivery: { retryFirstMs, retryMaxMs } }: Config): Finding[] {
  if (retryFirstMs <= retryMaxMs) return []
  const message = `is ${retryMaxMs} ms, less than the first pause, delivery.retryFirstMs (${retryFirstMs} ms)`
  return [{ path: 'delivery.retryMaxMs', message }]
}
