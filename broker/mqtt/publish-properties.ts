// Which MQTT 5 properties of a PUBLISH or will are passed on to subscribers. Pure.
import type { MqttProperties } from '../../store/notification.ts'
import type { PublishProperties, WillProperties } from './client-packets.ts'

/**
 * The properties that travel with the message [MQTT-3.3.2-4, -15, -16, -17, -18, -20], user properties in their order;
 * undefined when there are none. All others (topic alias, will delay, …) concern this connection alone.
 */
export function passedOn(
  properties: PublishProperties | WillProperties | undefined
): MqttProperties | undefined {
  if (properties === undefined) return undefined
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties
  const kept: MqttProperties = {}
  if (payloadFormatIndicator !== undefined) kept.payloadFormatIndicator = payloadFormatIndicator
  if (contentType !== undefined) kept.contentType = contentType
  if (responseTopic !== undefined) kept.responseTopic = responseTopic
  if (correlationData !== undefined) kept.correlationData = correlationData
  if (userProperties !== undefined) kept.userProperties = userProperties
  return Object.keys(kept).length > 0 ? kept : undefined
}
