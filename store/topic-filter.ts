// MQTT topic names and topic filters (MQTT 5.0 section 4.7): validity and matching. Pure.

const LONE_SURROGATE = /\p{Surrogate}/u

/** Whether the text can be a topic name: 1 to 65,535 bytes of UTF-8, no NUL [MQTT-4.7.3-1, -2, -3], no wildcards [MQTT-3.3.2-2]. */
export function isTopicName(topic: string): boolean {
  return isTopicText(topic) && !topic.includes('+') && !topic.includes('#')
}

/** Whether the text can be a topic filter: wildcards stand alone in their level, `#` in the last [MQTT-4.7.1-1, -2]. */
export function isTopicFilter(filter: string): boolean {
  if (!isTopicText(filter)) return false
  const levels = filter.split('/')
  return levels.every((level, index) => {
    if (level === '+') return true
    if (level === '#') return index === levels.length - 1
    return !level.includes('+') && !level.includes('#')
  })
}

function isTopicText(text: string): boolean {
  if (text.length === 0 || text.length > 65_535 || text.includes('\0')) return false
  if (text.length > 21_845 && Buffer.byteLength(text) > 65_535) return false
  return !LONE_SURROGATE.test(text)
}

/** Number of levels of a topic or filter. */
export function topicLevels(topic: string): number {
  let levels = 1
  for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels++
  return levels
}

/** Whether the filter (which must be valid) matches the topic. Wildcards never match a leading `$` level [MQTT-4.7.2-1]. */
export function topicMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false
  const want = filter.split('/')
  const have = topic.split('/')
  for (let index = 0; index < want.length; index++) {
    const level = want[index]
    if (level === '#') return true
    if (index >= have.length || (level !== '+' && level !== have[index])) return false
  }
  return want.length === have.length
}
