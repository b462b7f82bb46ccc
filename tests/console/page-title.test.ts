import { expect, test } from '@jest/globals'
import { pageName, windowTitle } from '../../console/src/page-title.ts'

test('the title names the page, what of it, and how much is critical', () => {
  expect(windowTitle(pageName([]), 0)).toBe('Overview · Tocsin')
  expect(windowTitle(pageName(['alerts']), 1)).toBe('(1) Alerts · Tocsin')
  expect(windowTitle(pageName(['devices', 'pump/1']), 12)).toBe('(12) pump/1 · Devices · Tocsin')
  expect(pageName(['toString'])).toBe('There is no such page')
})
