// What a person has chosen in this browser.
import { computed, effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const NAME = 'tocsin.preferences'

interface Saved {
  theme: Theme
  sound: boolean
  badge: boolean
  desktop: boolean
}

const saved = read()
export const theme = signal<Theme>(saved.theme)
/** Whether a new critical alert is heard. */
export const sound = signal(saved.sound)
/** Whether the window's title counts critical alerts. */
export const badge = signal(saved.badge)
/** Whether a new critical alert is shown by the desktop. */
export const desktop = signal(saved.desktop)

effect(() => {
  const all: Saved = {
    theme: theme.value,
    sound: sound.value,
    badge: badge.value,
    desktop: desktop.value
  }
  try {
    localStorage.setItem(NAME, JSON.stringify(all))
  } catch {
    // A browser that keeps nothing: the choice holds as long as the page is open.
  }
})

const systemIsDark = matchMedia('(prefers-color-scheme: dark)')
const systemTheme = signal(systemIsDark.matches ? 'dark' : 'light')
systemIsDark.addEventListener('change', ({ matches }) => (systemTheme.value = matches ? 'dark' : 'light'))

/** The colours that are shown: those of the style sheet with this name. */
export const shownTheme = computed(() => (theme.value === 'system' ? systemTheme.value : theme.value))
effect(() => {
  document.documentElement.dataset['theme'] = shownTheme.value
})

function read(): Saved {
  let given: Partial<Record<keyof Saved, unknown>> = {}
  try {
    given = (JSON.parse(localStorage.getItem(NAME) ?? '{}') ?? {}) as typeof given
  } catch {
    // Nothing is kept, or not by us: begin anew.
  }
  return {
    theme: given.theme === 'light' || given.theme === 'dark' ? given.theme : 'system',
    sound: given.sound === true,
    badge: given.badge !== false,
    desktop: given.desktop === true
  }
}
