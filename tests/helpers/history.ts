// The log as an operator reads it over HTTP, page by page.
import type { Item } from './feed-subscriber.ts'
import type { ServerProcess } from './server-process.ts'

interface Page {
  items: Item[]
  cursor: string
  more: boolean
  gap?: unknown
}

/** All events after a cursor (from the earliest, unless given) in the log's order. Throws when there is a gap. */
export function readEvents(server: ServerProcess, after = 'earliest'): Promise<Item[]> {
  return readNotifications(server, 'event', after)
}

/** The same for any kind of notification. */
export async function readNotifications(
  server: ServerProcess,
  kind: string,
  after = 'earliest'
): Promise<Item[]> {
  const events: Item[] = []
  let from = after
  for (;;) {
    const { status, body } = await server.ask(`/v1/notifications?kinds=${kind}&limit=1000&after=${from}`)
    if (status !== 200) throw new Error(`history answers ${status}: ${JSON.stringify(body)}`)
    const { items, cursor, more, gap } = body as Page
    if (gap !== undefined) throw new Error(`history has a gap: ${JSON.stringify(gap)}`)
    for (const item of items) events.push(item)
    if (!more) return events
    from = cursor
  }
}
