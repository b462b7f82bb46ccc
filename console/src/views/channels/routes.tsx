// Which alerts are told by which channels, when, and to whom next.
import type { Route } from '../../api/shapes.ts'
import { Facts } from '../../components/facts.tsx'
import { durationText } from '../../format.ts'
import { matchText } from '../../match/match-words.ts'
import { texts } from '../../texts.ts'
import { quietText } from './channel-words.ts'

const words = texts.channels

export function Routes({ routes }: { routes: readonly Route[] }) {
  return (
    <section class="view-stack" aria-labelledby="routes">
      <h2 id="routes">{words.routes}</h2>
      {routes.length === 0 ? (
        <p class="card">{words.noRoutes}</p>
      ) : (
        <>
          <p class="quiet">{words.routesLead}</p>
          <ol class="route-list">
            {routes.map(route => (
              <RouteCard key={route.name} route={route} />
            ))}
          </ol>
        </>
      )}
    </section>
  )
}

function RouteCard({ route }: { route: Route }) {
  return (
    <li class="card">
      <h3>{route.name}</h3>
      <Facts facts={factsOf(route)} />
      {route.continue && <p class="route-on">↓ {words.goesOn}</p>}
    </li>
  )
}

function factsOf(route: Route): [name: string, value: string][] {
  const { match, channels, group, escalate, quiet, sendResolved } = route
  const facts: [string, string][] = [
    [words.matches, matchText(match)],
    [words.to, channels.join(', ') || words.nobody],
    [words.group, group.length === 0 ? words.groupAll : words.groupBy(group.join(', '))],
    [words.times, timesText(route)],
    [
      words.escalate,
      escalate.map(step => words.step(durationText(step.afterMs), step.channels.join(', '))).join('; ')
    ],
    [words.quiet, quiet.map(quietText).join('; ')],
    [words.onResolved, sendResolved ? words.toldResolved : words.notToldResolved]
  ]
  return facts.filter(([, value]) => value !== '')
}

function timesText({ groupWaitMs, groupIntervalMs, repeatIntervalMs }: Route): string {
  const wait = words.wait(durationText(groupWaitMs), durationText(groupIntervalMs))
  const repeat = repeatIntervalMs > 0 ? words.repeat(durationText(repeatIntervalMs)) : words.noRepeat
  return `${wait}; ${repeat}`
}
