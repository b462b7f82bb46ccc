// Holds the table of conformance statements in docs/protocol/mqtt.md to the specifications' numbers and to the tests.
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'

/** How many statements each section has, from 1 on; a list where some numbers are not used. */
type Numbers = Record<string, number | readonly number[]>

const version5: Numbers = {
  '1.5.4': 3,
  '1.5.5': 1,
  '1.5.7': 1,
  '2.1.3': 1,
  '2.2.1': [2, 3, 4, 5, 6],
  '2.2.2': 1,
  '3.1.0': 2,
  '3.1.2': 30,
  '3.1.3': 12,
  '3.1.4': 6,
  '3.2.0': 2,
  '3.2.2': 22,
  '3.3.1': 13,
  '3.3.2': 20,
  '3.3.4': 10,
  '3.4.2': 3,
  '3.5.2': 3,
  '3.6.1': 1,
  '3.6.2': 3,
  '3.7.2': 3,
  '3.8.1': 1,
  '3.8.3': 5,
  '3.8.4': 8,
  '3.9.2': 2,
  '3.9.3': 2,
  '3.10.1': 1,
  '3.10.3': 2,
  '3.10.4': 6,
  '3.11.2': 2,
  '3.11.3': 2,
  '3.12.4': 1,
  '3.14.0': 1,
  '3.14.1': 1,
  '3.14.2': 4,
  '3.14.4': 3,
  '3.15.1': 1,
  '3.15.2': 3,
  '4.1.0': 2,
  '4.2.0': 1,
  '4.3.1': 1,
  '4.3.2': 5,
  '4.3.3': 13,
  '4.4.0': 2,
  '4.5.0': 2,
  '4.6.0': 6,
  '4.7.0': 1,
  '4.7.1': 2,
  '4.7.2': 1,
  '4.7.3': 4,
  '4.8.2': 6,
  '4.9.0': 3,
  '4.12.0': 7,
  '4.12.1': 2,
  '4.13.1': 1,
  '4.13.2': 1,
  '6.0.0': 4
}

const version311: Numbers = {
  '1.5.3': 3,
  '2.2.2': 2,
  '2.3.1': 7,
  '3.1.0': 2,
  '3.1.2': 24,
  '3.1.3': 11,
  '3.1.4': 5,
  '3.2.0': 1,
  '3.2.2': 6,
  '3.3.1': 12,
  '3.3.2': 3,
  '3.3.4': 1,
  '3.3.5': 2,
  '3.6.1': 1,
  '3.8.1': 1,
  '3.8.3': 4,
  '3.8.4': 6,
  '3.9.3': 2,
  '3.10.1': 1,
  '3.10.3': 2,
  '3.10.4': 6,
  '3.12.4': 1,
  '3.14.1': 1,
  '3.14.4': 3,
  '4.1.0': 2,
  '4.3.1': 1,
  '4.3.2': 2,
  '4.3.3': 2,
  '4.4.0': 1,
  '4.5.0': 2,
  '4.6.0': 6,
  '4.7.1': 3,
  '4.7.2': 1,
  '4.7.3': 4,
  '4.8.0': 2,
  '6.0.0': 4,
  '7.0.0': 2,
  '7.1.1': 1,
  '7.1.2': 1
}

/** A row of the table; ids as in `3.1.2-4`. */
interface Row {
  version5: string[]
  version311: string[]
  demand: string
  keptIn: string
  tests: string[]
}

const root = join(import.meta.dirname, '../../..')
let rows: Row[] = []
/** Of each test file, by its name: the ids in its tests' names. */
const named = new Map<string, { any: Set<string>; version311: Set<string> }>()

beforeAll(async () => {
  const page = await readFile(join(root, 'docs/protocol/mqtt.md'), 'utf8')
  rows = rowsOf(page.slice(page.indexOf('\n## Conformance\n')))
  const folder = join(root, 'tests/broker')
  for (const path of await readdir(folder, { recursive: true })) {
    if (path.endsWith('.test.ts'))
      named.set(basename(path), idsIn(await readFile(join(folder, path), 'utf8')))
  }
})

function rowsOf(section: string): Row[] {
  return section
    .split('\n')
    .filter(line => line.startsWith('|') && !/^\| (?:5\.0|-)/.test(line))
    .map(line => {
      const cells = line.split('|').map(cell => cell.trim())
      const list = (cell = '') => cell.split(',').flatMap(part => part.trim() || [])
      const [, first, second, demand = '', keptIn = '', tests] = cells
      return { version5: list(first), version311: list(second), demand, keptIn, tests: list(tests) }
    })
}

// `[MQTT-3.1.2-4]` is 5.0's number, or 3.1.1's where 5.0 has no such statement; `[3.1.1: MQTT-3.1.2-4]` is 3.1.1's.
function idsIn(source: string): { any: Set<string>; version311: Set<string> } {
  const ids = (pattern: RegExp) => new Set([...source.matchAll(pattern)].map(([, id = '']) => id))
  return {
    any: ids(/\[MQTT-([\d.]+-\d+)\]/g),
    version311: ids(/\[3\.1\.1: MQTT-([\d.]+-\d+)\]/g)
  }
}

function all(numbers: Numbers): string[] {
  return Object.entries(numbers).flatMap(([section, count]) => {
    const list = typeof count === 'number' ? Array.from({ length: count }, (_, index) => index + 1) : count
    return list.map(number => `${section}-${number}`)
  })
}

/** Sorts ids by their numbers. */
function byNumber(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}

describe('the table of conformance statements', () => {
  test('has each statement of MQTT 5.0 once, in their order', () => {
    const ids = rows.flatMap(row => row.version5)
    expect(ids.toSorted(byNumber)).toEqual(all(version5).toSorted(byNumber))
    expect(ids).toEqual(ids.toSorted(byNumber))
  })

  test('has each statement of MQTT 3.1.1 once', () => {
    const ids = rows.flatMap(row => row.version311)
    expect(ids.toSorted(byNumber)).toEqual(all(version311).toSorted(byNumber))
  })

  test('says of each what it demands and where it is kept', () => {
    expect(rows.filter(({ demand, keptIn }) => demand === '' || keptIn === '')).toEqual([])
  })

  test('names files that are there', async () => {
    const folders = await Promise.all(
      ['broker', 'store'].map(name => readdir(join(root, name), { recursive: true }))
    )
    const files = new Set(folders.flat().map(path => basename(path)))
    const mentioned = rows.flatMap(({ keptIn }) => keptIn.match(/[\w-]+\.ts/g) ?? [])
    expect(mentioned.filter(file => !files.has(file))).toEqual([])
  })

  test('names a test for each, unless it is the client’s or not offered', () => {
    const untested = rows.filter(
      ({ tests, keptIn }) => tests.length === 0 && !/client’s|client's|not offered/.test(keptIn)
    )
    expect(untested).toEqual([])
  })

  test('names tests that are there, and that name one of the row’s statements', () => {
    const wrong = rows.filter(row =>
      row.tests.some(file => {
        const found = named.get(file)
        if (found === undefined) return true
        return ![...row.version5, ...row.version311].some(id => found.any.has(id) || found.version311.has(id))
      })
    )
    expect(wrong).toEqual([])
  })

  test('has every statement that a test’s name has', () => {
    const known = {
      any: new Set([...all(version5), ...all(version311)]),
      version311: new Set(all(version311))
    }
    const unknown = [...named.values()].flatMap(({ any, version311: older }) => [
      ...[...any].filter(id => !known.any.has(id)),
      ...[...older].filter(id => !known.version311.has(id))
    ])
    expect(unknown).toEqual([])
  })
})
