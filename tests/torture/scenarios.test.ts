import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { scenarios } from './scenarios.ts'

test('docs/operate.md lists every scenario', async () => {
  const page = await readFile('docs/operate.md', 'utf8')
  const section = page.split('## Under every fault')[1] ?? ''
  const listed = [...section.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name)
  expect(listed.toSorted()).toEqual(scenarios.map(({ name }) => name).toSorted())
})
