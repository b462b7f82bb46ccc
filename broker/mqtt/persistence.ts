// aedes' persistence, reduced to the calls that are left to it: the session's subscriptions, what is in flight and
// retained messages are kept by Session, Sessions and RetainedMessages, over the store.
import { Readable } from 'node:stream'
import type { AedesClient } from './aedes-internals.ts'

export interface PersistenceHooks {
  /** aedes agrees to a client and would store its will now. */
  onAccepted(client: AedesClient): void
  /** The client said goodbye: its will goes. */
  discardWill(key: string): void
}

// In place of a promise. What aedes does next with a CONNECT, it does when this is done, which is never: storing the will,
// CONNACK and what the session missed are ours.
const never = { finally: () => undefined }

/** The object that aedes calls its persistence. */
export function aedesPersistence(hooks: PersistenceHooks) {
  return {
    async setup() {},
    async subscriptionsByClient() {
      return []
    },
    async cleanSubscriptions() {},
    // Before a CONNECT's will is stored, aedes calls with the client; later, when it is over, with ids.
    delWill(client: AedesClient | { id: string; brokerId: string }) {
      if (!('brokerId' in client)) {
        hooks.onAccepted(client)
        return never
      }
      hooks.discardWill(client.id)
      return Promise.resolve()
    },
    streamWill: () => Readable.from([])
  }
}
