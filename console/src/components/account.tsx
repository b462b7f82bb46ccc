// Who one is, and how one likes the page.
import { useEffect, useRef, useState } from 'preact/hooks'
import { askForDesktop, canShowOnDesktop, ring } from '../state/attention.ts'
import { badge, desktop, sound, theme } from '../state/preferences.ts'
import type { Theme } from '../state/preferences.ts'
import { session, signOut } from '../state/session.ts'
import { texts } from '../texts.ts'
import { Icon } from './icon.tsx'
import { problemText } from './problem.tsx'
import { say } from './toast.tsx'

export function Account({ onHelp }: { onHelp: () => void }) {
  const [open, setOpen] = useState(false)
  const element = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const words = texts.account
  useEffect(() => {
    if (!open) return
    const onOutside = (event: Event) => {
      if (!element.current?.contains(event.target as Node)) setOpen(false)
    }
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      setOpen(false)
      button.current?.focus()
    }
    document.addEventListener('pointerdown', onOutside)
    document.addEventListener('keydown', onEscape)
    return () => {
      document.removeEventListener('pointerdown', onOutside)
      document.removeEventListener('keydown', onEscape)
    }
  }, [open])
  const me = session.value
  if (me == null) return null
  return (
    <div class="account" ref={element}>
      <button
        ref={button}
        type="button"
        class="button account-button"
        aria-expanded={open}
        aria-controls="account"
        aria-label={`${words.label}: ${words.signedInAs(me.name, me.role)}`}
        onClick={() => setOpen(!open)}
      >
        <Icon name="person" /> <span class="account-name">{words.signedInAs(me.name, me.role)}</span>
      </button>
      {open && (
        <div id="account" class="popover">
          <fieldset>
            <legend>{words.theme}</legend>
            {(['system', 'light', 'dark'] as const).map(choice => (
              <ThemeChoice key={choice} choice={choice} />
            ))}
          </fieldset>
          <fieldset>
            <legend>{words.attention}</legend>
            <label class="choice">
              <input
                type="checkbox"
                checked={sound.value}
                onChange={event => {
                  sound.value = event.currentTarget.checked
                  if (sound.value) void ring()
                }}
              />
              {words.sound}
            </label>
            <label class="choice">
              <input
                type="checkbox"
                checked={badge.value}
                onChange={event => (badge.value = event.currentTarget.checked)}
              />
              {words.badge}
            </label>
            {canShowOnDesktop() && (
              <label class="choice">
                <input type="checkbox" checked={desktop.value} onChange={toggleDesktop} />
                {words.desktop}
              </label>
            )}
          </fieldset>
          <button
            type="button"
            class="button"
            onClick={() => {
              setOpen(false)
              onHelp()
            }}
          >
            {words.help}
          </button>
          <button type="button" class="button" onClick={() => void trySignOut()}>
            {words.signOut}
          </button>
          <p class="quiet">
            {texts.product} {me.version}
          </p>
        </div>
      )}
    </div>
  )
}

function ThemeChoice({ choice }: { choice: Theme }) {
  return (
    <label class="choice">
      <input
        type="radio"
        name="theme"
        checked={theme.value === choice}
        onChange={() => (theme.value = choice)}
      />
      {texts.account.themes[choice]}
    </label>
  )
}

async function trySignOut(): Promise<void> {
  try {
    await signOut()
  } catch (error) {
    say(texts.account.signOutFailed(problemText(error)), { bad: true })
  }
}

async function toggleDesktop(): Promise<void> {
  if (desktop.value) desktop.value = false
  else if (await askForDesktop()) desktop.value = true
  else say(texts.account.desktopRefused, { bad: true })
}
