import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { loadConfig } from '../../config/config.ts'
import { renderExample } from '../../config/example.ts'
import { listSettings } from '../../config/settings.ts'

const file = fileURLToPath(new URL('../../../config/tocsin.example.yaml', import.meta.url))

test('the example file is what the schema says (else: tocsin check-config --print-example)', () => {
  expect(readFileSync(file, 'utf8')).toBe(renderExample())
})

test('the example file changes no default', () => {
  expect(loadConfig({ file, env: {}, flags: {} })).toEqual(loadConfig({ env: {}, flags: {} }))
})

test('every setting has a sentence, a type and a default', () => {
  const settings = listSettings()
  expect(settings.length).toBeGreaterThan(50)
  for (const { path, description, type, default: fallback } of settings) {
    expect(`${path}: ${description}`).toMatch(/^[\w.]+: [A-Z].*\.$/)
    expect([path, type?.kind]).not.toEqual([path, undefined])
    expect([path, fallback]).not.toEqual([path, undefined])
  }
})
