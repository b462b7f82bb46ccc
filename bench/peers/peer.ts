// What all peers have in common: where their files are, and what is said when one can't be had.
import { fileURLToPath } from 'node:url'

/** A peer that can't be measured here. The measure goes on without it and says so. */
export class PeerMissing extends Error {
  constructor(peer: string, reason: string, options?: ErrorOptions) {
    super(`${peer} is not measured: ${reason}`, options)
  }
}

/** A configuration or program of a peer, as it lies in the repository: it is not compiled. */
export function peerFile(name: string): string {
  return fileURLToPath(new URL(`../../../bench/peers/${name}`, import.meta.url))
}

/** What `start` resolves with; null, with the reason in `missing`, when the peer can't be had. */
export async function unlessMissing<Peer>(
  missing: string[],
  start: () => Promise<Peer>
): Promise<Peer | null> {
  try {
    return await start()
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error
    missing.push(error.message)
    return null
  }
}
