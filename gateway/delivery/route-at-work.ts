// A route with what it needs at hand for each alert.
import { compileMatch } from '../alerts/match-alert.ts'
import type { AlertTest } from '../alerts/match-alert.ts'
import { QuietTimes } from './quiet-hours.ts'
import type { Route } from './route.ts'

export interface RouteAtWork {
  readonly route: Route
  readonly matches: AlertTest
  readonly quiet: QuietTimes
}

export function routeAtWork(route: Route): RouteAtWork {
  return { route, matches: compileMatch(route.match), quiet: new QuietTimes(route.quiet) }
}
