import type { LookupAddress } from 'node:dns'
import { describe, expect, test } from '@jest/globals'
import {
  AddressRefused,
  hostProblem,
  nonPublicKind,
  publicLookup
} from '../../../gateway/delivery/addresses.ts'

describe('addresses that webhooks may not go to', () => {
  test.each([
    ['127.0.0.1', 'a loopback address'],
    ['127.255.0.9', 'a loopback address'],
    ['0.0.0.0', 'an unspecified address'],
    ['10.1.2.3', 'a private address'],
    ['172.16.0.1', 'a private address'],
    ['172.31.255.255', 'a private address'],
    ['192.168.1.1', 'a private address'],
    ['169.254.169.254', 'a link-local address'],
    ['100.64.0.1', 'an address behind a carrier’s NAT'],
    ['224.0.0.1', 'a multicast address'],
    ['255.255.255.255', 'a reserved address'],
    ['198.19.0.1', 'an address for benchmarks'],
    ['::', 'an unspecified address'],
    ['::1', 'a loopback address'],
    ['0:0:0:0:0:0:0:1', 'a loopback address'],
    ['fe80::1%eth0', 'a link-local address'],
    ['fd00::1', 'a unique local address'],
    ['ff02::1', 'a multicast address'],
    ['::ffff:127.0.0.1', 'an IPv4 address written as IPv6'],
    ['::ffff:8.8.8.8', 'an IPv4 address written as IPv6'],
    ['::127.0.0.1', 'a reserved address'],
    ['64:ff9b::127.0.0.1', 'a loopback address'],
    ['64:ff9b::a00:1', 'a private address'],
    ['64:ff9b::1', 'an unspecified address'],
    ['64:ff9b:1::1', 'a reserved address'],
    ['2002:7f00:1::', 'an address of 6to4, which holds an IPv4 address'],
    ['2001:0:1::1', 'a reserved address'],
    ['fec0::1', 'a reserved address']
  ])('include %s: %s', (address, what) => {
    expect(nonPublicKind(address)).toBe(what)
  })

  test.each([
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '192.169.0.1',
    '2606:4700::1111',
    '2a01::1',
    '64:ff9b::808:808'
  ])('do not include %s', address => {
    expect(nonPublicKind(address)).toBeNull()
  })

  test('are known in every way in which a URL may write them', () => {
    for (const host of [
      '2130706433',
      '0x7f.1',
      '127.1',
      '[::1]',
      '[::ffff:7f00:1]',
      'localhost',
      'a.localhost.'
    ])
      expect(hostProblem(new URL(`http://${host}/`).hostname)).toMatch(
        /where webhooks go only if delivery.allowPrivateAddresses is true$/
      )
    expect(hostProblem('hooks.example.org')).toBeNull()
    expect(hostProblem('[2606:4700::1111]')).toBeNull()
  })
})

describe('looking up a name', () => {
  test('gives the public addresses alone', async () => {
    expect(await look(['10.0.0.1', '8.8.8.8', '::1'], true)).toEqual([{ address: '8.8.8.8', family: 4 }])
    expect(await look(['10.0.0.1', '8.8.8.8'], false)).toBe('8.8.8.8')
  })

  test('fails with a sentence that names the setting where there are none', async () => {
    const failure = look(['10.0.0.1', '::1'], true)
    await expect(failure).rejects.toBeInstanceOf(AddressRefused)
    await expect(failure).rejects.toThrow(
      'hooks.example leads to 10.0.0.1, a private address, where webhooks go only if delivery.allowPrivateAddresses is true'
    )
  })
})

function look(addresses: string[], all: boolean): Promise<unknown> {
  const found = addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
  const answer = (
    _name: string,
    _options: unknown,
    callback: (error: null, found: LookupAddress[]) => void
  ) => callback(null, found)
  const lookup = publicLookup(answer as never)
  return new Promise((resolve, reject) =>
    lookup('hooks.example', { all }, (error, address) => (error === null ? resolve(address) : reject(error)))
  )
}
