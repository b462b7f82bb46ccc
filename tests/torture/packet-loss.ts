// Loses packets of the cable to a second host at random, both ways, as nf_tables does it: at the end where they arrive, so
// that the kernel that sent them does not know. Its random numbers can't be seeded.
import type { CableEnd, SecondHost } from './hosts.ts'
import { NotRunnable } from './scenario.ts'

/** Packets of both directions since the start. */
export interface PacketCounts {
  arrived: number
  /** Of them. */
  lost: number
}

export class PacketLoss implements AsyncDisposable {
  readonly #ends: readonly CableEnd[]

  private constructor(ends: readonly CableEnd[]) {
    this.#ends = ends
  }

  /** Loses nothing yet. Throws `NotRunnable` where the machine can't. */
  static async on({ ends }: Pick<SecondHost, 'ends'>): Promise<PacketLoss> {
    const loss = new PacketLoss(ends)
    try {
      for (const { device, run } of ends) await run('nft', [countingRules(device)])
      await loss.lose(1)
      await loss.lose(0)
    } catch (error) {
      await loss[Symbol.asyncDispose]()
      throw new NotRunnable(reasonOf(error))
    }
    return loss
  }

  /** From now on so many of a thousand packets are lost. */
  async lose(perMille: number): Promise<void> {
    for (const { device, run } of this.#ends) await run('nft', [losingRules(device, perMille)])
  }

  async counts(): Promise<PacketCounts> {
    const counts: PacketCounts = { arrived: 0, lost: 0 }
    for (const { device, run } of this.#ends) {
      const { arrived, lost } = parseCounters(
        await run('nft', ['-j', 'list', 'counters', 'table', 'netdev', device])
      )
      counts.arrived += arrived
      counts.lost += lost
    }
    return counts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { device, run } of this.#ends)
      await run('nft', [`delete table netdev ${device}`]).catch(() => {}) // it was not made, or went with the host
  }
}

/** A table of the device's name that counts what arrives there. */
function countingRules(device: string): string {
  return `table netdev ${device} {
    counter arrived { }
    counter lost { }
    chain arriving { type filter hook ingress device "${device}" priority 0; }
  }`
}

function losingRules(device: string, perMille: number): string {
  const rule = `add rule netdev ${device} arriving`
  return [
    `flush chain netdev ${device} arriving`,
    `${rule} counter name arrived`,
    ...(perMille === 0 ? [] : [`${rule} numgen random mod 1000 < ${perMille} counter name lost drop`])
  ].join('\n')
}

/** Reads the counters from nft's JSON. Throws when one is missing. */
export function parseCounters(json: string): PacketCounts {
  const { nftables } = JSON.parse(json) as { nftables: { counter?: { name: string; packets: number } }[] }
  const packetsOf = (name: string) => {
    const found = nftables.find(({ counter }) => counter?.name === name)?.counter
    if (found === undefined) throw new Error(`nft shows no counter ${name}: ${json}`)
    return found.packets
  }
  return { arrived: packetsOf('arrived'), lost: packetsOf('lost') }
}

function reasonOf(error: unknown): string {
  const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string }
  if (code === 'ENOENT') return 'nft is not installed (Debian’s package nftables)'
  const [complaint = ''] = (stderr || String(error)).trim().split('\n')
  return `nf_tables takes no such rules here (${complaint.trim()})`
}
