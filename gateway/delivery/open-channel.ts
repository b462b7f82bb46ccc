// Opens the channels of the alerting file.
import type { DeliverySettings, MailSettings } from '../alerting/settings.ts'
import type { Channel } from './notice.ts'
import type { ChannelPlan } from './parse-channels.ts'

/** What channels are made with. */
export interface ChannelContext {
  secret: (name: string) => Promise<string>
  settings: DeliverySettings
  mail: MailSettings
  publicUrl: string
  version: string
  /** Publishes to MQTT subscribers; resolves when that is durable. */
  publish: (topic: string, payload: Uint8Array, how: { qos: 0 | 1 | 2; retain: boolean }) => Promise<void>
}

/** Opens a channel; rejects with a sentence where it can't be. */
export async function openChannel(plan: ChannelPlan, { publish }: ChannelContext): Promise<Channel> {
  const { name, topic, qos, retain } = plan
  return {
    name,
    type: 'mqtt',
    target: topic,
    async send(notice) {
      await publish(topic, Buffer.from(JSON.stringify(notice)), { qos, retain })
      return { outcome: 'sent', detail: `published to ${topic}` }
    },
    close: () => {}
  }
}
