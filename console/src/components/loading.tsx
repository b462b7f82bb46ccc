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
  /** Puts a value in its place that is known from elsewhere. */
  set: (value: Value) => void
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
  const [turn, setTurn] = useState(0)
  const lastLoad = useRef(load)
  useEffect(() => {
    const wanted = new AbortController()
    const isAnew = lastLoad.current === load
    lastLoad.current = load
    if (!isAnew) setState({ value: null, error: null })
    load(wanted.signal).then(
      value => {
        if (!wanted.signal.aborted) setState({ value, error: null })
      },
      (error: unknown) => {
        if (!wanted.signal.aborted) setState(before => ({ ...before, error }))
      }
    )
    return () => wanted.abort()
  }, [load, turn])
  useEffect(() => {
    if (everyMs === 0) return
    const timer = setInterval(() => {
      if (!document.hidden) setTurn(before => before + 1)
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  const reload = useCallback(() => setTurn(before => before + 1), [])
  const set = useCallback((value: Value) => setState({ value, error: null }), [])
  return { ...state, reload, set }
}
