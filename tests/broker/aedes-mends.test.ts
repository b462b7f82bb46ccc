// What ARCHITECTURE.md says of aedes' defects: where each is mended and which test shows it. Also that aedes is the version
// that they were found in.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'

const root = new URL('../../../', import.meta.url)
const text = (path: string) => readFileSync(new URL(path, root), 'utf8')

const section =
  text('ARCHITECTURE.md')
    .split('\n## ')
    .find(part => part.startsWith('What aedes does otherwise')) ?? ''
const rows = section
  .split('\n')
  .filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
  .slice(1)
  .map(line => line.split(/(?<!\\)\|/).map(cell => cell.trim()))

test('there are lines', () => {
  expect(rows.length).toBeGreaterThan(20)
})

test.each(
  rows.map(([, defect = '', , places = '', file = '', name = '']) => ({ defect, places, file, name }))
)('is mended where it says: $defect', ({ places, file, name }) => {
  for (const [, place = ''] of places.matchAll(/`([^`]+)`/g))
    expect(existsSync(new URL(`broker/mqtt/${place}`, root))).toBe(true)
  const tests = text(`tests/broker/${file.replaceAll('`', '')}.test.ts`)
  if (name !== 'all of it') expect(tests).toContain(name)
})

test('aedes is the version that was looked at', () => {
  const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> }
  expect(section).toContain(`aedes ${dependencies['aedes']},`)
})
