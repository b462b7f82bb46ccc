// What the window's title says: the page, what of it, and what is critical. Pure.
import { texts } from './texts.ts'

const { overview, feed, alerts, devices, rules, silences, channels } = texts.nav
const names: Readonly<Record<string, string>> = {
  overview,
  'sign-in': overview,
  feed,
  alerts,
  devices,
  rules,
  silences,
  channels
}

/** Such as `Alerts`, or `a1 · Alerts` for the page of one. `path`: as the router has it. */
export function pageName([page = 'overview', ...ids]: readonly string[]): string {
  const name = Object.hasOwn(names, page) ? (names[page] ?? '') : texts.notFound.title
  return [...ids, name].join(' · ')
}

/** Such as `(2) a1 · Alerts · Tocsin`; no number where nothing is counted. */
export function windowTitle(name: string, count: number): string {
  return `${count > 0 ? `(${count}) ` : ''}${name} · ${texts.product}`
}
