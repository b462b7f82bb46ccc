// The examples of docs/rules.md and docs/alerts.md, played with time in the test's hands: everything they say happens, when
// they say, and nothing else does.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { play } from './play.ts'
import { scenariosOf } from './scenario.ts'

const pages = { 'docs/rules.md': 7, 'docs/alerts.md': 4 }

for (const [page, atLeast] of Object.entries(pages))
  describe(page, () => {
    const scenarios = scenariosOf(readFileSync(page, 'utf8'))

    test('has its scenarios', () => {
      expect(scenarios.length).toBeGreaterThanOrEqual(atLeast)
    })

    test.each(scenarios.map(scenario => [scenario.title, scenario] as const))('%s', async (_, scenario) => {
      expect(await play(scenario)).toEqual(scenario.outcomes.toSorted())
    })
  })
