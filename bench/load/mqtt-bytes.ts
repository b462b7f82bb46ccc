// The MQTT 3.1.1 packets of load makers, made beforehand, and the lengths of the answers.
import { generate } from 'mqtt-packet'

export const CONNACK_BYTES = 4
export const SUBACK_BYTES = 5
export const PUBACK_BYTES = 4
export const PINGRESP_BYTES = 2

export const PINGREQ = Buffer.of(0xc0, 0)

/** CONNECT with a clean session. */
export function mqttConnect(clientId: string, keepalive = 0): Buffer {
  return generate({
    cmd: 'connect',
    clientId,
    keepalive,
    clean: true,
    protocolId: 'MQTT',
    protocolVersion: 4
  })
}

export function mqttSubscribe(topic: string, qos: 0 | 1): Buffer {
  return generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] })
}

export interface PublishBytes {
  topic: string
  payload: string
  qos: 0 | 1
  messageId: number
}

export function mqttPublish({ topic, payload, qos, messageId }: PublishBytes): Buffer {
  const id = qos === 0 ? {} : { messageId }
  return generate({ cmd: 'publish', topic, payload, qos, ...id, dup: false, retain: false })
}
