// Tells MQTT subscribers of a topic, and so feeds too: an event of the server's own.
import type { ChannelContext } from '../channel-context.ts'
import type { MqttPlan } from '../channel-plan.ts'
import { tocsinFormat } from '../formats/tocsin.ts'
import type { Channel, Outcome } from '../notice.ts'

/** A channel whose payload is the body that webhooks get. */
export async function openMqtt(plan: MqttPlan, context: ChannelContext): Promise<Channel> {
  const { topic, qos, retain } = plan
  const { publish, publicUrl, settings } = context
  return {
    name: plan.name,
    type: 'mqtt',
    target: topic,
    async send(notice, signal) {
      if (signal.aborted) return failed('The attempt was stopped before it began.')
      const payload = Buffer.from(tocsinFormat(notice, { publicUrl }).body, 'utf8')
      const limit = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)])
      const published = publish(topic, payload, { qos, retain }).then(
        () => sent(topic),
        // Whoever closes the log says why; here it may be tried again.
        () => failed('It could not be written to the log.')
      )
      return Promise.race([published, ended(limit)])
    },
    close: () => {}
  }
}

function ended(signal: AbortSignal): Promise<Outcome> {
  return new Promise(resolve => {
    signal.addEventListener('abort', () => resolve(failed('It was not durable in time.')), { once: true })
  })
}

function sent(topic: string): Outcome {
  return { outcome: 'sent', detail: `Published to ${topic}.` }
}

function failed(detail: string): Outcome {
  return { outcome: 'failed', detail }
}
