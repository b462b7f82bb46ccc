// Which MQTT 5 properties of a PUBLISH or will are passed on to subscribers. Pure.
import type { MqttProperties } from '../../store/notification.ts'
import type { UserProperties } from './client-packets.ts'

/** Properties as mqtt-packet parses them, of a PUBLISH or of a will. */
export interface ReceivedProperties {
  payloadFormatIndicator?: boolean | undefined
  contentType?: string | undefined
  responseTopic?: string | undefined
  correlationData?: Uint8Array | undefined
  userProperties?: Record<string, string | string[]> | UserProperties | undefined
}

/**
 * The properties that travel with the message [MQTT-3.3.2-4, -15, -16, -17, -18, -20]; undefined when there are none.
 * All others (topic alias, will delay, …) concern this connection alone.
 */
export function passedOn(properties: ReceivedProperties | undefined): MqttProperties | undefined {
  if (properties === undefined) return undefined
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties
  const kept: MqttProperties = {}
  if (payloadFormatIndicator !== undefined) kept.payloadFormatIndicator = payloadFormatIndicator
  if (contentType !== undefined) kept.contentType = contentType
  if (responseTopic !== undefined) kept.responseTopic = responseTopic
  if (correlationData !== undefined) kept.correlationData = correlationData
  if (Array.isArray(userProperties)) kept.userProperties = grouped(userProperties as UserProperties)
  return Object.keys(kept).length > 0 ? kept : undefined
}

function grouped(pairs: UserProperties): Record<string, string | string[]> {
  const groups: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of pairs) {
    const sofar = groups[name]
    groups[name] = sofar === undefined ? value : [...(Array.isArray(sofar) ? sofar : [sofar]), value]
  }
  return groups
}
