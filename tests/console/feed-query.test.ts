import { describe, expect, test } from '@jest/globals'
import {
  addressOfQuery,
  everything,
  filterOfQuery,
  queryOfAddress,
  termsOf,
  textTest
} from '../../console/src/feed/feed-query.ts'
import type { FeedQuery } from '../../console/src/feed/feed-query.ts'
import { alertItem, deliveryItem, item } from './items.ts'

describe('the address of a feed', () => {
  test('holds all that is asked for, and gives it back', () => {
    const query: FeedQuery = {
      topics: ['site/+/door', 'a b/#'],
      devices: ['pump/1'],
      kinds: ['event', 'alert'],
      severityMin: 'minor',
      text: 'ä & ö'
    }
    expect(queryOfAddress(new URLSearchParams(addressOfQuery(query)))).toEqual(query)
  })

  test('is empty for everything', () => {
    expect(addressOfQuery(everything)).toBe('')
    expect(queryOfAddress(new URLSearchParams())).toEqual(everything)
    expect(filterOfQuery(everything)).toEqual({})
  })

  test('passes by what makes no sense in it', () => {
    const query = queryOfAddress(new URLSearchParams('kinds=party&severityMin=dire&topics=&x=1'))
    expect(query).toEqual(everything)
  })
})

test('terms are set apart by commas, each once, and may hold spaces', () => {
  expect(termsOf(' site/#, pump 1 ,pump 1,,')).toEqual(['site/#', 'pump 1'])
  expect(termsOf(' ')).toEqual([])
})

describe('a text', () => {
  test('is looked for in what a notification says, in any case', () => {
    expect(textTest('MMPERS')(item(7))).toBe(true)
    expect(textTest('site/pu')(item(7))).toBe(true)
    expect(textTest('shakes')(alertItem())).toBe(true)
    expect(textTest('ann')(alertItem({ change: 'acknowledged', actor: 'Ann' }))).toBe(true)
    expect(textTest('DESK')(deliveryItem())).toBe(true)
    expect(textTest('a2')(deliveryItem({ alerts: ['a1', 'a2'] }))).toBe(true)
  })

  test('is not found in names of fields, nor across fields', () => {
    expect(textTest('payload')(item(7))).toBe(false)
    expect(textTest('pump-1info')(item(7))).toBe(false)
  })

  test('of spaces passes everything', () => {
    expect(textTest('  ')(item(1))).toBe(true)
  })
})
