import { expect, test } from '@jest/globals'
import { RuleIndex } from '../../../gateway/rules/rule-index.ts'
import { rulesOf } from './rules.ts'

function indexOf(yaml: string): {
  event: (topic: string, device: string) => string[]
  presence: (device: string) => string[]
} {
  const { rules, problems } = rulesOf(yaml)
  expect(problems).toEqual([])
  const index = new RuleIndex(rules.map(rule => ({ rule })))
  const names = (found: readonly { rule: { name: string } }[]) => found.map(({ rule }) => rule.name)
  return {
    event: (topic, device) => names(index.ofEvent(topic, device)),
    presence: device => names(index.ofPresence(device))
  }
}

test('finds the rules of a topic and device, in the order of the file', () => {
  const { event } = indexOf(`
- {name: any, when: payload > 1}
- {name: twice, topics: [site/#, site/+/a], when: payload > 1}
- {name: a, topics: [site/1/a], when: payload > 1}
- {name: freezers, topics: [site/#], devices: ["freezer-*", pump-1], absent: 1m}
- {name: pump, devices: [pump-1], absent: 1m}
- {name: gone, offline: 1m}
`)
  for (let again = 0; again < 2; again++) {
    expect(event('site/1/a', 'freezer-7')).toEqual(['any', 'twice', 'a', 'freezers'])
    expect(event('site/1/a', 'pump-2')).toEqual(['any', 'twice', 'a'])
    expect(event('site/2/b', 'pump-1')).toEqual(['any', 'twice', 'freezers', 'pump'])
    expect(event('elsewhere', 'pump-1')).toEqual(['any', 'pump'])
  }
})

test('finds the rules that look at whether a device is online', () => {
  const { presence, event } = indexOf(`
- {name: gone, offline: 1m}
- {name: freezer, devices: ["freezer-*"], offline: 1m}
- {name: other, absent: 1m}
`)
  expect(presence('freezer-7')).toEqual(['gone', 'freezer'])
  expect(presence('pump-1')).toEqual(['gone'])
  expect(event('a', 'pump-1')).toEqual(['other'])
})

test('goes on finding rules when there were more topics than it remembers', () => {
  const { event } = indexOf('- {name: a, topics: [site/+], when: payload > 1}')
  for (let topic = 0; topic < 120_000; topic++) event(`site/${topic}`, 'd')
  expect(event('site/1', 'd')).toEqual(['a'])
})
