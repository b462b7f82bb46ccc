// A field that is acted on when one has stopped typing, or at once with Enter or by leaving it.
import { useEffect, useRef, useState } from 'preact/hooks'

const TYPING_MS = 400

export interface TypedFieldProps {
  label: string
  hint: string
  value: string
  onTyped: (text: string) => void
  /** Whether the key for searching leads to it. */
  search?: boolean
}

export function TypedField({ label, hint, value, onTyped, search = false }: TypedFieldProps) {
  const [text, setText] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const input = useRef<HTMLInputElement>(null)
  // The timer calls what is current by then, so that it undoes nothing that was changed meanwhile.
  const current = useRef({ onTyped, value })
  current.current = { onTyped, value }
  // What is set from elsewhere (a link, "clear") goes before what stands here, but not while somebody types it.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(value)
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const apply = (given: string) => {
    clearTimeout(timer.current)
    timer.current = undefined
    // What stands there already stays as it is: a list may have come with terms that can't be typed.
    if (given !== current.current.value) current.current.onTyped(given)
  }
  return (
    <label class="field">
      <span>{label}</span>
      <input
        ref={input}
        type="search"
        placeholder={hint}
        value={text}
        data-search={search ? '' : undefined}
        spellcheck={false}
        autoComplete="off"
        onInput={event => {
          const given = event.currentTarget.value
          setText(given)
          clearTimeout(timer.current)
          timer.current = setTimeout(() => apply(given), TYPING_MS)
        }}
        onKeyDown={event => {
          if (event.key === 'Enter') apply(event.currentTarget.value)
        }}
        onBlur={event => {
          // Before what is clicked next, such as “clear”: the timer would bring the text back after it.
          if (timer.current !== undefined) apply(event.currentTarget.value)
          else setText(value)
        }}
      />
    </label>
  )
}
