// Which silences are in force, for views that show alerts: asked for now and then while one is there.
import { computed, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { readSilences } from '../api/alerting.ts'
import type { Alert, Silence } from '../api/shapes.ts'
import { matchTest } from '../match/match-test.ts'

const REFRESH_MS = 10_000

const silences = signal<readonly Silence[]>([])
const tests = computed(() =>
  silences.value
    .filter(({ state }) => state === 'active')
    .map(silence => ({ silence, matches: matchTest(silence.match) }))
)

/** The silence that keeps it quiet, the newest of several. */
export function silenceOf(alert: Alert): Silence | undefined {
  if (alert.state === 'resolved') return undefined
  return tests.value.find(({ matches }) => matches(alert))?.silence
}

/** Asks for them now. What can't be read stays as it was. */
export async function refreshSilences(): Promise<void> {
  try {
    silences.value = await readSilences(new AbortController().signal)
  } catch {
    // Asked again soon; that the server is out of reach is said elsewhere.
  }
}

let users = 0
let timer: ReturnType<typeof setInterval> | undefined

/** Keeps them up to date while the component is there. */
export function useSilences(): void {
  useEffect(() => {
    if (users++ === 0) {
      void refreshSilences()
      timer = setInterval(() => {
        if (!document.hidden) void refreshSilences()
      }, REFRESH_MS)
    }
    return () => {
      if (--users === 0) clearInterval(timer)
    }
  }, [])
}
