import { expect, test } from '@jest/globals'
import { alertTopic } from '../../store/alert-message.ts'
import { isTopicName, topicLevels } from '../../store/topic-filter.ts'

test('the topic of an alert has three levels, whatever is in its rule and key', () => {
  expect(alertTopic({ rule: 'too-warm', key: 'freezer 7 °' })).toBe('$alerts/too-warm/freezer 7 °')
  expect(alertTopic({ rule: 'a/b', key: '100% +#' })).toBe('$alerts/a%2Fb/100%25 %2B%23')
  expect(alertTopic({ rule: 'r', key: '\0\n\u{7f}\u{85}\u{ffff}' })).toBe(
    '$alerts/r/%00%0A%7F%C2%85%EF%BF%BF'
  )
  expect(alertTopic({ rule: 'r', key: '' })).toBe('$alerts/r/')
  for (const key of ['\ud800', 'a/b/c', '\u{1f514}', '$x']) {
    const topic = alertTopic({ rule: 'r', key }) ?? ''
    expect(isTopicName(topic)).toBe(true)
    expect(topicLevels(topic)).toBe(3)
  }
})

test('an alert whose topic would be too long has none', () => {
  expect(alertTopic({ rule: 'r', key: 'x'.repeat(65_525) })).toHaveLength(65_535)
  expect(alertTopic({ rule: 'r', key: 'x'.repeat(65_526) })).toBeNull()
  expect(alertTopic({ rule: 'r', key: '/'.repeat(30_000) })).toBeNull()
})
