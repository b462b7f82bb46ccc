// Which network addresses webhooks may not go to: all that lead into the server's own networks rather than the internet.
// Looked at where a connection is made, so that a name cannot lead elsewhere than it did when it was checked.
import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, isIPv4 } from 'node:net'
import type { LookupFunction } from 'node:net'

const SETTING = 'delivery.allowPrivateAddresses'

/** Blocks of the IANA special-purpose registries (RFC 6890 and later), and what they are for. */
const ipv4Blocks: readonly (readonly [block: string, prefix: number, what: string])[] = [
  ['0.0.0.0', 8, 'an unspecified address'],
  ['10.0.0.0', 8, 'a private address'],
  ['100.64.0.0', 10, 'an address behind a carrier’s NAT'],
  ['127.0.0.0', 8, 'a loopback address'],
  ['169.254.0.0', 16, 'a link-local address'],
  ['172.16.0.0', 12, 'a private address'],
  ['192.0.0.0', 24, 'a reserved address'],
  ['192.0.2.0', 24, 'an address for documentation'],
  ['192.88.99.0', 24, 'a reserved address'],
  ['192.168.0.0', 16, 'a private address'],
  ['198.18.0.0', 15, 'an address for benchmarks'],
  ['198.51.100.0', 24, 'an address for documentation'],
  ['203.0.113.0', 24, 'an address for documentation'],
  ['224.0.0.0', 4, 'a multicast address'],
  ['240.0.0.0', 4, 'a reserved address']
]

// Of IPv6 only global unicast (2000::/3) and NAT64's well-known prefix lead into the internet. These have names.
const ipv6Blocks: readonly (readonly [block: string, prefix: number, what: string])[] = [
  ['::', 128, 'an unspecified address'],
  ['::1', 128, 'a loopback address'],
  ['::ffff:0:0', 96, 'an IPv4 address written as IPv6'],
  ['fc00::', 7, 'a unique local address'],
  ['fe80::', 10, 'a link-local address'],
  ['ff00::', 8, 'a multicast address'],
  ['2001::', 23, 'a reserved address'],
  ['2001:db8::', 32, 'an address for documentation'],
  ['2002::', 16, 'an address of 6to4, which holds an IPv4 address'],
  ['3fff::', 20, 'an address for documentation']
]

const ipv4 = ipv4Blocks.map(([block, prefix, what]) => ({ list: listOf(block, prefix, 'ipv4'), what }))
const ipv6 = ipv6Blocks.map(([block, prefix, what]) => ({ list: listOf(block, prefix, 'ipv6'), what }))
const globalUnicast = listOf('2000::', 3, 'ipv6')
const nat64 = listOf('64:ff9b::', 96, 'ipv6')

function listOf(block: string, prefix: number, family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  list.addSubnet(block, prefix, family)
  return list
}

/** What an IP address is that no webhook may go to, such as `a loopback address`; null for one in the internet. */
export function nonPublicKind(address: string): string | null {
  if (isIPv4(address)) return ipv4.find(({ list }) => list.check(address, 'ipv4'))?.what ?? null
  const plain = address.replace(/%.*$/, '') // a zone is of no matter here
  // Node's own check looks for IPv4-mapped addresses in lists of IPv4; these lists hold IPv6 only.
  if (nat64.check(plain, 'ipv6')) return nonPublicKind(embeddedIpv4(plain))
  const named = ipv6.find(({ list }) => list.check(plain, 'ipv6'))
  if (named !== undefined) return named.what
  return globalUnicast.check(plain, 'ipv6') ? null : 'a reserved address'
}

/** The IPv4 address in the last 32 bits. */
function embeddedIpv4(address: string): string {
  // A URL writes IPv6 in its one canonical form, without dots.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const after = canonical.includes('::') ? (canonical.split('::')[1] ?? '') : canonical
  const groups = after.split(':').map(group => Number.parseInt(group || '0', 16))
  const [high = 0, low = 0] = groups.length > 1 ? groups.slice(-2) : [0, groups[0]]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** A host that is an address no webhook may go to: the sentence that says so; null for another address, and for a name. */
export function hostProblem(hostname: string): string | null {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) === 0) return isLocalName(address) ? `${address} is ${sentence('this machine')}` : null
  const what = nonPublicKind(address)
  return what === null ? null : `${address} is ${sentence(what)}`
}

// RFC 6761: these never lead elsewhere.
function isLocalName(name: string): boolean {
  return /(?:^|\.)localhost\.?$/i.test(name)
}

function sentence(what: string): string {
  return `${what}, where webhooks go only if ${SETTING} is true`
}

/** A name led to such addresses and no others. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED'
}

/** As `dns.lookup`, without the addresses that no webhook may go to: an `AddressRefused` where none is left. */
export function publicLookup(lookup: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '')
      const allowed = found.filter(({ address }) => nonPublicKind(address) === null)
      const [first] = allowed
      if (first === undefined) return callback(refusal(hostname, found[0]?.address), '')
      if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function refusal(hostname: string, address: string | undefined): AddressRefused {
  if (address === undefined) return new AddressRefused(`${hostname} has no address`)
  const what = nonPublicKind(address) ?? 'a private address'
  return new AddressRefused(`${hostname} leads to ${address}, ${sentence(what)}`)
}
