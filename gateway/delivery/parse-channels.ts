// Reads the channels of the alerting file. Every problem is noted with its line; only channels without one are returned.
import type { Fields, Place } from '../alerting/yaml-reader.ts'
import { isTopicName } from '../../store/topic-filter.ts'
import type { ChannelPlan, EmailPlan, MqttPlan } from './channel-plan.ts'
import { parseWebhook } from './parse-webhook.ts'

export type { ChannelPlan } from './channel-plan.ts'

const NAME = /^[a-zA-Z0-9._-]{1,100}$/
const TYPES = ['webhook', 'email', 'mqtt'] as const
const ADDRESS = /^[^\s@<>()[\],;:\\"]{1,64}@[^\s@<>()[\],;:\\"]{1,255}$/
const ADDRESSES_MAX = 100

/** What distinguishes a channel’s type. */
type Own = ChannelPlan extends infer Plan
  ? Plan extends ChannelPlan
    ? Omit<Plan, 'name' | 'line'>
    : never
  : never

/** The channels of a list. */
export function parseChannels(list: Place): ChannelPlan[] {
  const plans: ChannelPlan[] = []
  const lines = new Map<string, number>()
  for (const place of list.items() ?? []) {
    const fields = place.fields(['name', ...TYPES])
    if (fields === undefined) continue
    const name = parseName(fields, lines, place)
    const own = parseOwn(fields, place)
    if (name !== undefined && own !== undefined) plans.push({ ...own, name, line: place.line })
  }
  return plans
}

function parseName(fields: Fields, lines: Map<string, number>, channel: Place): string | undefined {
  const place = fields.need('name')
  const name = place?.text()
  if (place === undefined || name === undefined) return undefined
  if (!NAME.test(name)) return place.problem('must be 1 to 100 letters, digits, ., - and _')
  const line = lines.get(name)
  if (line !== undefined) return place.problem(`"${name}" is the name of the channel at line ${line}, too`)
  lines.set(name, channel.line)
  return name
}

function parseOwn(fields: Fields, channel: Place): Own | undefined {
  const [type, other] = TYPES.filter(one => fields.has(one))
  if (type === undefined) return channel.problem('needs one of webhook, email and mqtt')
  const place = fields.at(type)
  if (place === null) return undefined
  if (other !== undefined) fields.at(other)?.problem(`can’t be beside ${type}: a channel has one type`)
  switch (type) {
    case 'webhook':
      return parseWebhook(place)
    case 'email':
      return parseEmail(place)
    case 'mqtt':
      return parseMqtt(place)
  }
}

function parseEmail(place: Place): Omit<EmailPlan, 'name' | 'line'> | undefined {
  const fields = place.fields(['to', 'cc'])
  if (fields === undefined) return undefined
  const to = addresses(fields.need('to'))
  const cc = fields.has('cc') ? addresses(fields.at('cc')) : []
  if (to?.length === 0) return place.problem('needs somebody in to')
  return to && cc && { type: 'email', to, cc }
}

function addresses(place: Place | null | undefined): string[] | undefined {
  const texts = place?.texts()
  if (place == null || texts === undefined) return undefined
  const wrong = texts.find(text => !ADDRESS.test(text))
  if (wrong !== undefined)
    return place.problem(`"${wrong.slice(0, 60)}" is not a mail address such as name@example.org`)
  return texts.length > ADDRESSES_MAX ? place.problem(`must be at most ${ADDRESSES_MAX} addresses`) : texts
}

function parseMqtt(place: Place): Omit<MqttPlan, 'name' | 'line'> | undefined {
  const fields = place.fields(['topic', 'qos', 'retain'])
  if (fields === undefined) return undefined
  const topic = topicOf(fields.need('topic'))
  const qos = fields.has('qos') ? fields.at('qos')?.whole(0, 2) : 1
  const retain = fields.has('retain') ? fields.at('retain')?.flag() : false
  if (topic === undefined || qos === undefined || retain === undefined) return undefined
  return { type: 'mqtt', topic, qos: qos === 0 ? 0 : qos === 1 ? 1 : 2, retain }
}

function topicOf(place: Place | undefined): string | undefined {
  const topic = place?.text()
  if (place === undefined || topic === undefined) return undefined
  if (!isTopicName(topic)) return place.problem('must be a topic name, without + and #')
  return topic.startsWith('$') ? place.problem('can’t begin with $: such topics are the server’s own') : topic
}
