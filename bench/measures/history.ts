// How long the history of one device takes over a log of ten million notifications, page by page over HTTP.
import { OFTEN, SELDOM } from '../filled/fleet.ts'
import { rowOf } from '../compare.ts'
import type { Goal, MeasureOptions, Result, Row } from '../result.ts'
import { startTocsin, type TocsinProcess } from '../servers/tocsin.ts'
import { buildsOf } from './builds.ts'

const NOTIFICATIONS = 10_000_000
/** Notifications that whoever asks wants to see. */
const WANTED = 100
const PAGES_MAX = 1000
const MS = 'ms'

const devices = {
  [OFTEN]: 'a device that says as much as 5,000 others',
  [SELDOM]: 'a device with 100 notifications in all',
  nobody: 'a device with none'
}

export async function measureHistory(options: MeasureOptions): Promise<Result[]> {
  const title = `history: the first ${WANTED} notifications of one device of ${NOTIFICATIONS.toLocaleString('en')} in the log`
  options.progress(title)
  const rows: Row[] = []
  for (const build of buildsOf(options)) {
    await using copy = await options.stores.copy(NOTIFICATIONS)
    await using server = await startTocsin({ ...build.options, dir: copy.dir })
    for (const [device, text] of Object.entries(devices)) {
      const rounds: Record<string, number>[] = []
      for (let round = 0; round <= options.rounds; round++) {
        const figures = await readHistory(server, device)
        if (round === 0) continue // warms up
        options.progress(`  round ${round}: ${text}: ${figures[MS]?.toFixed(0)} ms`)
        rounds.push(figures)
      }
      rows.push(rowOf(`${build.name}, ${text}`, rounds))
    }
  }
  const goals = Object.values(devices).map((text, index): Goal => {
    const figure = rows[index]?.figures[MS] ?? Number.NaN
    return { what: `history of ${text}`, sense: 'at most', limit: 200, unit: 'ms', figure }
  })
  const notes = ['The system has the log’s file in its page cache.']
  return [{ measure: 'history', title, rows, goals, notes }]
}

/** Asks for page after page until there are as many as wanted, or no more. */
async function readHistory(
  { httpPort, token }: TocsinProcess,
  device: string
): Promise<Record<string, number>> {
  const startedMs = performance.now()
  let after = 'earliest'
  let found = 0
  let pages = 0
  for (; pages < PAGES_MAX && found < WANTED; pages++) {
    const query = new URLSearchParams({ after, devices: device, limit: String(WANTED - found) })
    const answer = await fetch(`http://127.0.0.1:${httpPort}/v1/notifications?${query}`, {
      headers: { authorization: `Bearer ${token}` }
    })
    if (!answer.ok) throw new Error(`The server answers ${answer.status}: ${await answer.text()}`)
    const { items, cursor, more } = (await answer.json()) as {
      items: unknown[]
      cursor: string
      more: boolean
    }
    found += items.length
    after = cursor
    if (!more) break
  }
  return { [MS]: performance.now() - startedMs, pages: pages + 1, found }
}
