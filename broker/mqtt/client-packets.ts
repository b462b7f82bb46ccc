// The packets that an MQTT client sends, as decoded. Types only; fields are named as mqtt-packet and aedes have them.
import type { UserProperties } from '../../store/notification.ts'
import type { ReasonCode } from './reason-codes.ts'

/** The protocol level: 3 is MQTT 3.1, 4 is 3.1.1. */
export type WireVersion = 3 | 4 | 5

/** Every MQTT 5 property a client may send. */
export interface PropertyValues {
  payloadFormatIndicator?: boolean
  /** Seconds. */
  messageExpiryInterval?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Buffer
  /** 1 to 268,435,455. */
  subscriptionIdentifier?: number
  /** Seconds. */
  sessionExpiryInterval?: number
  authenticationMethod?: string
  authenticationData?: Buffer
  requestProblemInformation?: boolean
  /** Seconds. */
  willDelayInterval?: number
  requestResponseInformation?: boolean
  reasonString?: string
  /** 1 to 65,535. */
  receiveMaximum?: number
  topicAliasMaximum?: number
  /** 1 to 65,535. */
  topicAlias?: number
  /** Bytes, at least 1. */
  maximumPacketSize?: number
  /** In order [MQTT-3.3.2-18]. */
  userProperties?: UserProperties
}

type Properties<Name extends keyof PropertyValues> = Pick<PropertyValues, Name | 'userProperties'>

type Content =
  'payloadFormatIndicator' | 'messageExpiryInterval' | 'contentType' | 'responseTopic' | 'correlationData'
export type ConnectProperties = Properties<
  | 'sessionExpiryInterval'
  | 'receiveMaximum'
  | 'maximumPacketSize'
  | 'topicAliasMaximum'
  | 'requestResponseInformation'
  | 'requestProblemInformation'
  | 'authenticationMethod'
  | 'authenticationData'
>
export type WillProperties = Properties<Content | 'willDelayInterval'>
export type PublishProperties = Properties<Content | 'topicAlias'>

export interface ConnectWill {
  /** A topic name. */
  topic: string
  payload: Buffer
  qos: 0 | 1 | 2
  retain: boolean
  properties?: WillProperties | undefined
}

export interface ConnectPacket {
  cmd: 'connect'
  protocolId: 'MQTT' | 'MQIsdp'
  protocolVersion: WireVersion
  /** May be empty. */
  clientId: string
  clean: boolean
  /** Seconds. */
  keepalive: number
  username?: string | undefined
  password?: Buffer | undefined
  will?: ConnectWill | undefined
  properties?: ConnectProperties | undefined
}

export interface PublishPacket {
  cmd: 'publish'
  /** A topic name; empty only where a topic alias stands for it. */
  topic: string
  /** A view of the chunk. Whether it is what the payload format indicator says is not looked at. */
  payload: Buffer
  qos: 0 | 1 | 2
  retain: boolean
  dup: boolean
  /** Absent at QoS 0. */
  messageId?: number | undefined
  properties?: PublishProperties | undefined
}

export interface AcknowledgementPacket {
  cmd: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'
  messageId: number
  /** 0 before MQTT 5. */
  reasonCode: number
  properties?: Properties<'reasonString'> | undefined
}

export interface SubscriptionRequest {
  /** A topic filter; if it begins with `$share/`, that of a shared subscription. */
  topic: string
  qos: 0 | 1 | 2
  /** No Local. */
  nl: boolean
  /** Retain As Published. */
  rap: boolean
  /** Retain Handling. */
  rh: 0 | 1 | 2
}

export interface SubscribePacket {
  cmd: 'subscribe'
  messageId: number
  /** At least one. */
  subscriptions: SubscriptionRequest[]
  properties?: Properties<'subscriptionIdentifier'> | undefined
}

export interface UnsubscribePacket {
  cmd: 'unsubscribe'
  messageId: number
  /** Topic filters, at least one. */
  unsubscriptions: string[]
  properties?: Properties<never> | undefined
}

export interface PingreqPacket {
  cmd: 'pingreq'
}

export interface DisconnectPacket {
  cmd: 'disconnect'
  /** 0 before MQTT 5. */
  reasonCode: number
  properties?: Properties<'sessionExpiryInterval' | 'reasonString'> | undefined
}

export interface AuthPacket {
  cmd: 'auth'
  reasonCode: number
  properties: Properties<'authenticationMethod' | 'authenticationData' | 'reasonString'>
}

export type ClientPacket =
  | ConnectPacket
  | PublishPacket
  | AcknowledgementPacket
  | SubscribePacket
  | UnsubscribePacket
  | PingreqPacket
  | DisconnectPacket
  | AuthPacket

/** In place of a packet that is none, or that no client may send: the connection ends. */
export interface Malformed {
  cmd: 'malformed'
  code: ReasonCode
  /** What is wrong, as a plain sentence. */
  message: string
  /** How to answer a CONNECT: the CONNACK's version, and its return code before MQTT 5. Absent: no answer. */
  connect?: ConnectAnswer
}

export interface ConnectAnswer {
  version: WireVersion
  returnCode?: number
}
