import { describe, expect, test } from '@jest/globals'
import { Authorizer, filterCovers, globMatches, type AccessRule } from '../../broker/authorize.ts'
import type { Identity } from '../../broker/identity.ts'

function identity(device: string, user: string | null = device): Identity {
  return { device, user, clientId: device, anonymous: false }
}

const rule = (given: Partial<AccessRule>): AccessRule => ({
  devices: ['*'],
  publish: [],
  subscribe: [],
  ...given
})

test('puts client id and user name into patterns', () => {
  const authorizer = new Authorizer([rule({ publish: ['devices/%c/#', 'users/%u/+'] })])
  const pump = { ...identity('pump'), clientId: 'c1' }
  expect(authorizer.mayPublish(pump, 'devices/c1/state')).toBe(true)
  expect(authorizer.mayPublish(pump, 'devices/c2/state')).toBe(false)
  expect(authorizer.mayPublish(pump, 'users/pump/x')).toBe(true)
  expect(authorizer.mayPublish(pump, 'users/pump/x/y')).toBe(false)
})

test('an id that holds a wildcard or a slash, or none at all, voids the pattern', () => {
  const authorizer = new Authorizer([
    rule({ publish: ['devices/%c/#', 'users/%u/#'], subscribe: ['devices/%c/#'] })
  ])
  for (const id of ['+', '#', 'a/b', 'a+']) {
    expect(authorizer.mayPublish(identity(id), `devices/${id}/x`)).toBe(false)
    expect(authorizer.mayPublish(identity(id), 'devices/other/x')).toBe(false)
    expect(authorizer.maySubscribe(identity(id), `devices/${id}/x`)).toBe(false)
  }
  expect(authorizer.mayPublish(identity('a', null), 'users//x')).toBe(false)
  expect(authorizer.mayPublish(identity('a', null), 'users/null/x')).toBe(false)
})

test('an id is put in as it is, not read as a pattern again', () => {
  const authorizer = new Authorizer([rule({ publish: ['%c/x'] })])
  expect(authorizer.mayPublish({ ...identity('a', 'u'), clientId: '%u' }, '%u/x')).toBe(true)
  expect(authorizer.mayPublish({ ...identity('a', 'u'), clientId: '%u' }, 'u/x')).toBe(false)
  expect(authorizer.mayPublish({ ...identity('a'), clientId: '$&' }, '%c/x')).toBe(false)
})

test('rules that name the device add up; others do not count', () => {
  const authorizer = new Authorizer([
    rule({ devices: ['pump-*'], publish: ['a'] }),
    rule({ devices: ['*-7'], publish: ['b'] }),
    rule({ devices: ['lamp'], publish: ['c'] })
  ])
  const allowed = ['a', 'b', 'c'].filter(topic => authorizer.mayPublish(identity('pump-7'), topic))
  expect(allowed).toEqual(['a', 'b'])
})

test('topics that begin with $ are for no device, whatever its rules say', () => {
  const authorizer = new Authorizer([
    rule({ publish: ['#', '$SYS/#', '$x'], subscribe: ['#', '+/#', '+/broker/uptime', '$x/#', '$SYSTEM/#'] })
  ])
  expect(authorizer.mayPublish(identity('a'), '$SYS/x')).toBe(false)
  expect(authorizer.mayPublish(identity('a'), '$x')).toBe(false)
  for (const filter of ['$SYS/#', '$SYS', '$SYS/broker/uptime', '$x/y', '$SYSTEM/#', '$share/g/a', '$']) {
    expect([filter, authorizer.maySubscribe(identity('a'), filter)]).toEqual([filter, false])
  }
  expect(authorizer.maySubscribe(identity('a'), '#')).toBe(true)
})

test('$SYS topics can be subscribed to where a pattern begins with $SYS', () => {
  const authorizer = new Authorizer([
    rule({ devices: ['dashboard'], subscribe: ['$SYS/#'] }),
    rule({ devices: ['gauge'], subscribe: ['$SYS/broker/load/+/1min'] })
  ])
  const allowed = (id: string) =>
    ['$SYS/#', '$SYS', '$SYS/broker/#', '$SYS/broker/load/sockets/1min', '$SYSTEM', '$other/#', '#'].filter(
      filter => authorizer.maySubscribe(identity(id), filter)
    )
  expect(allowed('dashboard')).toEqual(['$SYS/#', '$SYS', '$SYS/broker/#', '$SYS/broker/load/sockets/1min'])
  expect(allowed('gauge')).toEqual(['$SYS/broker/load/sockets/1min'])
  expect(allowed('pump')).toEqual([])
})

test('an id put into a pattern does not open $SYS topics', () => {
  const authorizer = new Authorizer([rule({ subscribe: ['%c/#', '%u/#', '$%c/#'] })])
  expect(authorizer.maySubscribe(identity('$SYS', '$SYS'), '$SYS/broker/uptime')).toBe(false)
  expect(authorizer.maySubscribe(identity('SYS', 'SYS'), '$SYS/broker/uptime')).toBe(false)
})

test('a subscription must lie within one pattern', () => {
  const authorizer = new Authorizer([rule({ subscribe: ['site/+/temperature', 'all/#'] })])
  expect(authorizer.maySubscribe(identity('a'), 'site/+/temperature')).toBe(true)
  expect(authorizer.maySubscribe(identity('a'), 'site/1/temperature')).toBe(true)
  expect(authorizer.maySubscribe(identity('a'), 'site/#')).toBe(false)
  expect(authorizer.maySubscribe(identity('a'), 'all/x/+/#')).toBe(true)
  expect(authorizer.maySubscribe(identity('a'), '#')).toBe(false)
})

describe('filterCovers', () => {
  test.each([
    ['#', 'a/+/c', true],
    ['#', '#', true],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['$SYS/#', '$SYS/a', true],
    ['+/#', '#', true],
    ['+/+/#', '#', false],
    ['+', '#', false],
    ['+', '+', true],
    ['+', 'a', true],
    ['a', '+', false],
    ['a/#', 'a', true],
    ['a/#', 'a/#', true],
    ['a/+', 'a/#', false],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['a/+/c', 'a/b/+', false],
    ['a/b', 'a/b/c', false],
    ['+/b/#', 'a/b/c/#', true],
    ['a/', 'a/', true],
    ['a/+', 'a/', true]
  ])('%s over %s: %s', (pattern, filter, covers) => {
    expect(filterCovers(pattern, filter)).toBe(covers)
  })
})

describe('globMatches', () => {
  test.each([
    ['*', '', true],
    ['*', 'x', true],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*a', 'a', false],
    ['a*b*c', 'a-b-c', true],
    ['a*bc*c', 'abc', false],
    ['abc', 'abc', true],
    ['abc', 'abcd', false],
    ['a.c', 'abc', false]
  ])('%s on "%s": %s', (glob, text, matches) => {
    expect(globMatches(glob, text)).toBe(matches)
  })
})
