// The frame around every page: where one can go, who one is, and how the connection does.
import { useEffect, useState } from 'preact/hooks'
import { Account } from './components/account.tsx'
import { ConnectionState } from './components/connection-state.tsx'
import { focusSearch } from './components/filter-form.tsx'
import { KeyboardHelp } from './components/keyboard-help.tsx'
import { Link } from './components/link.tsx'
import { Loading } from './components/loading.tsx'
import { Problem } from './components/problem.tsx'
import { Toasts } from './components/toast.tsx'
import { Icon } from './components/icon.tsx'
import { soundWaits } from './state/attention.ts'
import { pageName } from './page-title.ts'
import { beginProblem, beginSession } from './state/begin-session.ts'
import { useKeys } from './state/keys.ts'
import { firingCounts } from './state/open-alerts.ts'
import { go, place } from './state/router.ts'
import { session } from './state/session.ts'
import { texts } from './texts.ts'
import { pages, viewOf } from './views/pages.tsx'
import { SignIn } from './views/sign-in.tsx'

export function App() {
  if (session.value === undefined)
    return (
      <main class="alone">
        {beginProblem.value === null ? (
          <Loading />
        ) : (
          <Problem error={beginProblem.value} onRetry={() => void beginSession()} />
        )}
      </main>
    )
  return (
    <>
      {session.value === null ? <SignIn /> : <Frame />}
      <Toasts />
    </>
  )
}

function Frame() {
  const [helpShown, showHelp] = useState(false)
  const [menuOpen, openMenu] = useState(false)
  const { path } = place.value
  useEffect(() => openMenu(false), [path.join('/')])
  useKeys({
    ...Object.fromEntries(pages.map(({ key, href }) => [`g ${key}`, () => go(href)])),
    '?': () => showHelp(true),
    '/': focusSearch
  })
  return (
    <div class="frame">
      <a class="skip-link" href="#content">
        {texts.common.skip}
      </a>
      <header class="frame-head">
        <Link href="/" class="brand" label={texts.product}>
          <Icon name="bell" />
          <span>{texts.product}</span>
        </Link>
        <button
          type="button"
          class="button menu-button"
          aria-expanded={menuOpen}
          aria-controls="navigation"
          onClick={() => openMenu(!menuOpen)}
        >
          <Icon name="menu" /> {texts.nav.menu}
          <FiringBadge />
        </button>
        <ConnectionState />
        <p class="sound-hint" role="status">
          {soundWaits.value && texts.account.soundWaits}
        </p>
        <Account onHelp={() => showHelp(true)} />
      </header>
      <nav id="navigation" class={menuOpen ? 'navigation open' : 'navigation'} aria-label={texts.nav.label}>
        <ul>
          {pages.map(({ name, href, icon }) => (
            <li key={name}>
              <Link href={href} current={(path[0] ?? 'overview') === name}>
                <Icon name={icon} />
                <span>{texts.nav[name]}</span>
                {name === 'alerts' && <FiringBadge />}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <main id="content" class="content" tabIndex={-1} aria-label={pageName(path)}>
        {viewOf(path)}
      </main>
      {helpShown && <KeyboardHelp onClose={() => showHelp(false)} />}
    </div>
  )
}

function FiringBadge() {
  const counts = firingCounts.value
  const count = Object.values(counts).reduce((sum, each) => sum + each, 0)
  if (count === 0) return null
  const worst = counts.critical > 0 ? 'critical' : counts.major > 0 ? 'major' : 'other'
  return (
    <span class={`badge badge-${worst}`}>
      <span aria-hidden="true">{count}</span>
      <span class="visually-hidden">{texts.nav.firing(count)}</span>
    </span>
  )
}
