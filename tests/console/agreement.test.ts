// What the console and the server must say alike, though neither knows the other.
import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { kinds, roles, sampleColumns, severities } from '../../console/src/api/shapes.ts'
import { consolePaths } from '../../gateway/http/console-routes.ts'
import { sampleColumns as servedColumns } from '../../gateway/overview/overview.ts'
import { kinds as servedKinds, severities as servedSeverities } from '../../store/notification.ts'
import { roles as servedRoles } from '../../store/store.ts'

test('the vocabularies of the console are those of the server', () => {
  expect({ kinds, roles, severities }).toEqual({
    kinds: servedKinds,
    roles: servedRoles,
    severities: servedSeverities
  })
  expect(sampleColumns).toEqual(servedColumns)
})

test('every page of the console has an address that the server answers with the page', async () => {
  const source = await readFile('console/src/views/pages.tsx', 'utf8')
  const addresses = [...source.matchAll(/href: '([^']+)'/g)].map(([, address]) => address)
  expect(addresses.length).toBeGreaterThanOrEqual(7)
  expect(consolePaths).toEqual(expect.arrayContaining(addresses))
  // Those that show one thing by its id.
  const withIds = [...source.matchAll(/case '(\w+)':\n\s+return id === undefined \? <\w+ \/> : <\w+ key/g)]
  expect(withIds.map(([, name]) => `/${name}/*`).toSorted()).toEqual(
    consolePaths.filter(path => path.endsWith('/*')).toSorted()
  )
})
