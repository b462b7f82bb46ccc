// Reads the channels of the alerting file.
import { isTopicName } from '../../store/topic-filter.ts'
import type { Fields, Place } from '../alerting/yaml-reader.ts'

const NAME = /^[A-Za-z0-9._-]{1,100}$/

/** A channel as the file has it. */
export interface ChannelPlan {
  name: string
  /** From 1. */
  line: number
  type: 'mqtt'
  topic: string
  qos: 0 | 1 | 2
  retain: boolean
}

/** The channels of a list. */
export function parseChannels(list: Place): ChannelPlan[] {
  const names = new Set<string>()
  return (list.items() ?? []).flatMap(place => {
    const fields = place.fields(['name', 'mqtt'])
    const name = fields?.need('name')?.text()
    if (fields === undefined || name === undefined) return []
    if (!NAME.test(name)) fields.at('name')?.problem('must be 1 to 100 letters, digits, dots, _ or -')
    if (names.has(name)) fields.at('name')?.problem(`"${name}" is there twice`)
    names.add(name)
    const own = fields.need('mqtt')?.fields(['topic', 'qos', 'retain'])
    return own === undefined ? [] : mqttPlan(own, { name, line: place.line })
  })
}

function mqttPlan(fields: Fields, place: { name: string; line: number }): ChannelPlan[] {
  const topic = fields.need('topic')?.text()
  if (topic === undefined) return []
  if (!isTopicName(topic) || topic.startsWith('$')) fields.at('topic')?.problem('is no topic to publish to')
  const qos = fields.at('qos')?.whole(0, 2) ?? 1
  return [
    { ...place, type: 'mqtt', topic, qos: qos as 0 | 1 | 2, retain: fields.at('retain')?.flag() ?? false }
  ]
}
