// Reading YAML with places and all problems at once.
import { describe, expect, test } from '@jest/globals'
import { durationMsOf, readYaml, type Place } from '../../../gateway/alerting/yaml-reader.ts'

function rootOf(text: string) {
  const { root, problems } = readYaml(text)
  if (root === null) throw new Error(problems.map(({ message }) => message).join('\n') || 'empty')
  return { root, problems }
}

/** Reads one value `v` as `read` does. */
function reading<Value>(value: string, read: (place: Place) => Value) {
  const { root, problems } = rootOf(`\nv: ${value}\n`)
  const place = root.fields(['v'])?.need('v')
  return { value: place && read(place), problems }
}

describe('a file', () => {
  test('gives values by their keys, and says which are unknown or missing, with lines', () => {
    const { root, problems } = rootOf('rules:\n  - name: a\n    wen: payload.x\n  - {}\nchanels: []\n')
    const fields = root.fields(['rules', 'channels'])
    const rules = fields?.need('rules')?.items() ?? []
    const names = rules.map(rule => rule.fields(['name', 'when'])?.need('name')?.text())
    expect(names).toEqual(['a', undefined])
    expect(problems).toEqual([
      { line: 5, message: 'chanels: is unknown; did you mean channels?' },
      { line: 3, message: 'rules[0].wen: is unknown; did you mean when?' },
      { line: 4, message: 'rules[1]: needs name' }
    ])
  })

  test('that is empty is nothing, one that is no YAML says where', () => {
    expect(readYaml('# nothing\n')).toEqual({ root: null, problems: [] })
    expect(readYaml('rules:\n  - {name: a\n').problems[0]?.line).toBeGreaterThan(1)
    expect(readYaml('a: 1\nb: 2\na: 3\n').problems).toHaveLength(1)
  })

  test('knows anchors, and refuses a bomb of them', () => {
    const { root } = rootOf('base: &b {site: hall}\nother: *b\n')
    expect(root.fields(['base', 'other'])?.at('other')?.fields(['site'])?.at('site')?.text()).toBe('hall')
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (const [one, next] of ['ab', 'bc', 'cd', 'de', 'ef'])
      bomb.push(`${next}: &${next} [*${one},*${one},*${one},*${one},*${one},*${one},*${one},*${one}]`)
    expect(readYaml(bomb.join('\n')).problems).toHaveLength(1)
  })
})

describe('values', () => {
  test.each([
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['1.5m', 90_000],
    ['0', 0]
  ])('%s is a duration', (text, ms) => {
    expect(reading(text, place => place.durationMs())).toEqual({ value: ms, problems: [] })
  })

  test.each(['5', '-1s', 'soon', '5 m', '400d', '[1s]', '"5m "'])('%s is none', text => {
    const { value, problems } = reading(text, place => place.durationMs())
    expect(value).toBeUndefined()
    expect(problems).toEqual([{ line: 2, message: expect.stringMatching(/^v: must be/) }])
  })

  test('texts may be one or a list; numbers are texts as they are written', () => {
    expect(reading('a', place => place.texts()).value).toEqual(['a'])
    expect(reading('[a, 007, 1.50]', place => place.texts()).value).toEqual(['a', '007', '1.50'])
    expect(reading('[a, []]', place => place.texts()).problems).toHaveLength(1)
    expect(reading('""', place => place.text()).problems).toHaveLength(1)
  })

  test('numbers, flags and words are what they should be', () => {
    expect(reading('5', place => place.whole(1, 5)).value).toBe(5)
    expect(reading('6', place => place.whole(1, 5)).problems[0]?.message).toBe(
      'v: must be a whole number from 1 to 5; it is 6'
    )
    expect(reading('.nan', place => place.number()).problems).toHaveLength(1)
    expect(reading('yes', place => place.flag()).problems).toHaveLength(1)
    expect(reading('major', place => place.oneOf(['minor', 'major'])).value).toBe('major')
    expect(reading('mayor', place => place.oneOf(['minor', 'major'])).problems[0]?.message).toBe(
      'v: must be one of minor, major; it is "mayor"'
    )
  })
})

test('a long text is no duration, and that is found quickly', () => {
  expect(durationMsOf('1'.repeat(100_000))).toBeNull()
})
