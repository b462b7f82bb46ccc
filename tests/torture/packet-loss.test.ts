import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import type { CableEnd } from './hosts.ts'
import { PacketLoss, parseCounters } from './packet-loss.ts'
import { NotRunnable } from './scenario.ts'

const counters = (arrived: number, lost: number) =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6', json_schema_version: 1 } },
      ...Object.entries({ arrived, lost }).map(([name, packets]) => ({
        counter: { family: 'netdev', name, table: 'end', handle: 2, packets, bytes: packets * 60 }
      }))
    ]
  })

/** An end where nft does as it is told, and what it was told. */
function end(device: string, shows = counters(0, 0)): CableEnd & { told: string[] } {
  const told: string[] = []
  const run = async (command: string, args: readonly string[]) => {
    told.push([command, ...args].join(' '))
    return args[0] === '-j' ? shows : ''
  }
  return { device, run, told }
}

describe('packets', () => {
  test('are lost and counted at both ends, until the end', async () => {
    const ends = [end('here', counters(100, 7)), end('there', counters(50, 2))] as const
    {
      await using loss = await PacketLoss.on({ ends })
      await loss.lose(50)
      expect(await loss.counts()).toEqual({ arrived: 150, lost: 9 })
    }
    for (const { device, told } of ends) {
      expect(told.find(line => line.includes('< 50'))).toMatch(
        new RegExp(
          `^nft flush chain netdev ${device} arriving\\n[^]*numgen random mod 1000 < 50 counter name lost drop$`
        )
      )
      expect(told.at(-1)).toBe(`nft delete table netdev ${device}`)
    }
  })

  test('are not lost where nft is missing, and the reason says what to install', async () => {
    const missing: CableEnd = {
      device: 'here',
      run: async (_, args) => (await promisify(execFile)('there-is-no-such-nft', args)).stdout
    }
    const made = PacketLoss.on({ ends: [missing, missing] })
    await expect(made).rejects.toThrow(NotRunnable)
    await expect(made).rejects.toThrow('nft is not installed (Debian’s package nftables)')
  })

  test('are not lost where the kernel refuses the rules, and the reason is its own', async () => {
    const complaint = 'Error: Could not process rule: Operation not supported'
    const refusing: CableEnd = {
      device: 'here',
      run: async () => (await promisify(execFile)('sh', ['-c', `echo '${complaint}' >&2; exit 1`])).stdout
    }
    await expect(PacketLoss.on({ ends: [refusing, refusing] })).rejects.toThrow(
      `nf_tables takes no such rules here (${complaint})`
    )
  })

  test('are not counted by guess', () => {
    expect(() => parseCounters('{"nftables":[]}')).toThrow('nft shows no counter arrived')
  })
})
