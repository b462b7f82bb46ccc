// Rules, silences, channels and routes: what is read of them, for views that load it again and again.
import { get } from './requests.ts'
import type { Channel, Handler, Route, Rule, Silence } from './shapes.ts'

interface Items<Item> {
  items: Item[]
}

/** How often a view asks again while it is seen, ms. */
export const REFRESH_MS = 5000

export async function readRules(signal: AbortSignal): Promise<Rule[]> {
  return (await get<Items<Rule>>('/v1/rules', {}, signal)).items
}

export async function readHandlers(signal: AbortSignal): Promise<Handler[]> {
  return (await get<Items<Handler>>('/v1/handlers', {}, signal)).items
}

/** All that are kept, newest first. */
export async function readSilences(signal: AbortSignal): Promise<Silence[]> {
  return (await get<Items<Silence>>('/v1/silences', {}, signal)).items
}

export async function readChannels(signal: AbortSignal): Promise<Channel[]> {
  return (await get<Items<Channel>>('/v1/channels', {}, signal)).items
}

/** In the order in which they are tried. */
export async function readRoutes(signal: AbortSignal): Promise<Route[]> {
  return (await get<Items<Route>>('/v1/routes', {}, signal)).items
}
