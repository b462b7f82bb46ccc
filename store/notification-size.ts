// How many bytes the parts of a notification hold whose size its sender chooses. Pure.
import type { MqttDetails } from './notification.ts'

const PAIR_BYTES = 100 // a user property as an array of two strings, beside their texts, about

/** Bytes of an event's MQTT properties, about. They may be as large as a packet, with no payload at all. */
export function mqttBytes(mqtt: MqttDetails | undefined): number {
  const properties = mqtt?.properties
  if (properties === undefined) return 0
  const { contentType, responseTopic, correlationData, userProperties } = properties
  let bytes = (contentType?.length ?? 0) + (responseTopic?.length ?? 0) + (correlationData?.length ?? 0)
  for (const [name, value] of userProperties ?? []) bytes += PAIR_BYTES + name.length + value.length
  return bytes
}
