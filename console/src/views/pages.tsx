// The pages, and which view an address shows.
import type { ComponentChildren } from 'preact'
import type { IconName } from '../components/icon.tsx'
import { AlertPage } from './alerts/alert-page.tsx'
import { AlertsView } from './alerts/alerts-view.tsx'
import { ChannelsView } from './channels/channels-view.tsx'
import { DevicePage } from './devices/device-page.tsx'
import { DevicesView } from './devices/devices-view.tsx'
import { FeedView } from './feed/feed-view.tsx'
import { NotFound } from './not-found.tsx'
import { OverviewView } from './overview/overview-view.tsx'
import { RulePage } from './rules/rule-page.tsx'
import { RulesView } from './rules/rules-view.tsx'
import { SilencesView } from './silences/silences-view.tsx'

export type PageName = 'overview' | 'alerts' | 'feed' | 'devices' | 'rules' | 'silences' | 'channels'

export interface Page {
  name: PageName
  href: string
  icon: IconName
  /** Goes there after `g`. */
  key: string
}

/** In the order of the navigation. */
export const pages: readonly Page[] = [
  { name: 'overview', href: '/', icon: 'overview', key: 'o' },
  { name: 'alerts', href: '/alerts', icon: 'bell', key: 'a' },
  { name: 'feed', href: '/feed', icon: 'feed', key: 'f' },
  { name: 'devices', href: '/devices', icon: 'device', key: 'd' },
  { name: 'rules', href: '/rules', icon: 'rule', key: 'r' },
  { name: 'silences', href: '/silences', icon: 'silence', key: 's' },
  { name: 'channels', href: '/channels', icon: 'channel', key: 'c' }
]

/** The view of a path. */
export function viewOf([page = 'overview', id, ...more]: readonly string[]): ComponentChildren {
  if (more.length > 0) return <NotFound />
  switch (page) {
    case 'overview':
    case 'sign-in': // whoever is signed in has no more to do there
      return id === undefined ? <OverviewView /> : <NotFound />
    case 'feed':
      return id === undefined ? <FeedView /> : <NotFound />
    case 'alerts':
      return id === undefined ? <AlertsView /> : <AlertPage key={id} id={id} />
    case 'devices':
      return id === undefined ? <DevicesView /> : <DevicePage key={id} id={id} />
    case 'rules':
      return id === undefined ? <RulesView /> : <RulePage key={id} name={id} />
    case 'silences':
      return id === undefined ? <SilencesView /> : <NotFound />
    case 'channels':
      return id === undefined ? <ChannelsView /> : <NotFound />
    default:
      return <NotFound />
  }
}
