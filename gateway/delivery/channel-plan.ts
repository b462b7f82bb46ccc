// What the alerting file says of a channel. Names of files stand for the secrets in them, which are not read yet.
import type { TemplatePlan } from './formats/template.ts'

interface CommonPlan {
  name: string
  /** Where in the file, from 1. */
  line: number
}

export type FormatPlan =
  | { readonly is: 'tocsin' | 'alertmanager' }
  | { readonly is: 'template'; readonly template: TemplatePlan; readonly headers: Record<string, string> }

export interface WebhookPlan extends CommonPlan {
  type: 'webhook'
  /** Written in the file, or in a file of its own where it is a secret itself. */
  url: { text: string } | { file: string }
  /** Signs. */
  secretFile: string | null
  /** Becomes the header Authorization. */
  authorizationFile: string | null
  format: FormatPlan
}

export interface EmailPlan extends CommonPlan {
  type: 'email'
  to: string[]
  cc: string[]
}

export interface MqttPlan extends CommonPlan {
  type: 'mqtt'
  topic: string
  qos: 0 | 1 | 2
  retain: boolean
}

export type ChannelPlan = WebhookPlan | EmailPlan | MqttPlan
