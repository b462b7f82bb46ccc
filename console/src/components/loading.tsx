// What is shown while an answer is awaited, and how one is awaited.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../texts.ts'

export function Loading() {
  return (
    <p class="loading" role="status">
      {texts.common.loading}
    </p>
  )
}

export interface Loaded<Value> {
  /** Null: not there yet. While it is loaded anew, what was there stays. */
  value: Value | null
  error: unknown
  reload: () => void
}

export interface LoadOptions {
  /** Loads anew so often while the page is seen, ms; 0: never. */
  everyMs?: number
}

/** Loads something when `load` changes (wrap it in `useCallback`); the answer of a load that is no longer wanted is dropped. */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  { everyMs = 0 }: LoadOptions = {}
): Loaded<Value> {
  const [state, setState] = useState<{ value: Value | null; error: unknown }>({ value: null, error: null })
  const ask = useRef<() => void>(() => {})
  useEffect(() => {
    const wanted = new AbortController()
    // One at a time: were an answer that takes longer than the period cut off by the next request, none would ever come.
    let running = false
    let again = false
    const run = async () => {
      running = true
      try {
        const value = await load(wanted.signal)
        if (!wanted.signal.aborted) setState({ value, error: null })
      } catch (error) {
        if (!wanted.signal.aborted) setState(before => ({ ...before, error }))
      }
      running = false
      if (again && !wanted.signal.aborted) {
        again = false
        void run()
      }
    }
    ask.current = () => {
      if (running) again = true
      else void run()
    }
    setState({ value: null, error: null })
    void run()
    return () => wanted.abort()
  }, [load])
  useEffect(() => {
    if (everyMs === 0) return
    const timer = setInterval(() => {
      if (!document.hidden) ask.current()
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  const reload = useCallback(() => ask.current(), [])
  return { ...state, reload }
}
