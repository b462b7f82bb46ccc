// aedes' persistence, reduced to the calls that are left to it: the session's subscriptions, what is in flight and
// retained messages are kept by Session, Sessions and RetainedMessages, over the store.
import { Readable } from 'node:stream'
import type { AedesClient, Will } from './aedes-internals.ts'
import { AedesSocket } from './aedes-socket.ts'

export interface PersistenceHooks {
  /** Whether the client that is being accepted goes on with a session [MQTT-3.2.2-2]. */
  sessionPresent(key: string): boolean
  /** Whether this client is still the one that holds its session. */
  current(client: AedesClient): boolean
  /** Stores the will of a client that is being accepted. */
  holdWill(client: AedesClient, will: Will): Promise<void>
  /** The client said goodbye: its will goes. */
  discardWill(key: string): void
}

// A promise that is never resolved leaves aedes' steps of a CONNECT that was overtaken by another one with the same id
// hanging, to be collected as garbage; going on would register a closed client.
const never = () => new Promise<never>(() => undefined)

/** A subscription that aedes is never given: it makes "session present", and our `authorizeSubscribe` refuses it. */
const MARKER = [{ topic: 'session', qos: 0 }]

// aedes' last step of a CONNECT sends what a session missed. Here it comes to nothing, and has no end: CONNACK is out.
const missed = new AedesSocket(() => undefined)

/** The object that aedes calls its persistence. */
export function aedesPersistence(hooks: PersistenceHooks) {
  return {
    async setup() {},
    async subscriptionsByClient({ id }: { id: string }) {
      return hooks.sessionPresent(id) ? MARKER : []
    },
    async cleanSubscriptions() {},
    async delWill(client: AedesClient | { id: string; brokerId: string }) {
      // Before a CONNECT's will is stored, aedes calls with the client; later, when it is over, with ids.
      if (!('brokerId' in client)) return hooks.current(client) ? undefined : never()
      hooks.discardWill(client.id)
      return undefined
    },
    async putWill(client: AedesClient, will: Will) {
      await hooks.holdWill(client, will)
      return hooks.current(client) ? undefined : never()
    },
    outgoingStream: () => missed,
    streamWill: () => Readable.from([])
  }
}
