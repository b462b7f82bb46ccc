// Calls somebody to the page when a critical alert is new: by a sound, the window's title, a notification of the desktop.
import { computed, effect, signal } from '@preact/signals'
import type { Alert } from '../api/shapes.ts'
import { pageName, windowTitle } from '../page-title.ts'
import { texts } from '../texts.ts'
import { firingCounts, onRaised } from './open-alerts.ts'
import { badge, desktop, sound } from './preferences.ts'
import { go, pathOf, place } from './router.ts'
import { session } from './session.ts'

/** Alerts that come together are one sound. */
const SOUND_PAUSE_MS = 1500

let audio: AudioContext | null = null
let soundAt = Number.NEGATIVE_INFINITY
/** A browser that lets a page sound by itself does so within this. */
const SOUND_WAIT_MS = 500
/** Whether somebody has clicked or typed here, after which every browser lets the page sound. */
const touched = signal(navigator.userActivation?.hasBeenActive ?? true)
for (const type of ['pointerdown', 'keydown'])
  addEventListener(type, () => (touched.value = true), { once: true, capture: true })

/** Whether a sound is wanted that the browser may not let the page make before somebody clicks in it. */
export const soundWaits = computed(() => sound.value && !touched.value)

/** Begins to watch. */
export function watchAttention(): void {
  effect(() => {
    const { critical } = firingCounts.value
    const name = session.value === null ? texts.signIn.title : pageName(place.value.path)
    document.title = windowTitle(name, badge.value ? critical : 0)
  })
  onRaised(alert => {
    if (alert.severity !== 'critical') return
    if (sound.value) void ring()
    if (desktop.value) show(alert)
  })
}

/** Two tones of a bell; none where the browser does not let the page sound yet. */
export async function ring(): Promise<void> {
  if (performance.now() - soundAt < SOUND_PAUSE_MS) return
  soundAt = performance.now()
  audio ??= new AudioContext()
  if (!(await isRunning(audio))) return
  touched.value = true
  const { currentTime } = audio
  for (const [frequency, delay] of [
    [880, 0],
    [660, 0.22]
  ] as const) {
    const tone = new OscillatorNode(audio, { type: 'triangle', frequency })
    const loudness = new GainNode(audio, { gain: 0 })
    tone.connect(loudness).connect(audio.destination)
    loudness.gain.setValueAtTime(0.25, currentTime + delay)
    loudness.gain.exponentialRampToValueAtTime(0.001, currentTime + delay + 0.6)
    tone.start(currentTime + delay)
    tone.stop(currentTime + delay + 0.65)
  }
}

/** One that is held up would play all it was given at once, when somebody clicks at last. */
async function isRunning(context: AudioContext): Promise<boolean> {
  const begun = context.resume().then(
    () => true,
    () => false
  )
  const late = new Promise<boolean>(resolve => setTimeout(resolve, SOUND_WAIT_MS, false))
  return context.state === 'running' || (await Promise.race([begun, late]))
}

/** Whether the browser can show notifications for this page at all. */
export function canShowOnDesktop(): boolean {
  return 'Notification' in globalThis && globalThis.isSecureContext
}

/** Asks the person to allow it, where that is still open; whether it is allowed. */
export async function askForDesktop(): Promise<boolean> {
  if (!canShowOnDesktop()) return false
  return (await Notification.requestPermission()) === 'granted'
}

function show({ id, title, device }: Alert): void {
  if (!canShowOnDesktop() || Notification.permission !== 'granted') return
  try {
    const shown = new Notification(title, { body: device, tag: id })
    shown.onclick = () => {
      focus()
      go(pathOf('alerts', id))
      shown.close()
    }
  } catch {
    // Android has the class, and lets only service workers use it: the sound and the title must do.
  }
}
