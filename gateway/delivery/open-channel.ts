// Opens channels: reads the secrets they name, and lets them speak.
import type { ChannelContext } from './channel-context.ts'
import type { ChannelPlan } from './channel-plan.ts'
import { openEmail } from './channels/email.ts'
import { openMqtt } from './channels/mqtt.ts'
import { openWebhook } from './channels/webhook.ts'
import type { Channel } from './notice.ts'

export type { ChannelContext } from './channel-context.ts'

/** Rejects, with a sentence without secrets, where a channel can’t be what the file says. Nothing is connected yet. */
export async function openChannel(plan: ChannelPlan, context: ChannelContext): Promise<Channel> {
  switch (plan.type) {
    case 'webhook':
      return openWebhook(plan, context)
    case 'email':
      return openEmail(plan, context)
    case 'mqtt':
      return openMqtt(plan, context)
  }
}
