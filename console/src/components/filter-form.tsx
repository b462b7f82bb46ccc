// The filters above a list. In a narrow window they are folded, so that the list has the room.
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { texts } from '../texts.ts'

/** Of the one form on the page. */
const open = signal(false)

/** Puts the focus into the page's field for searching, where it has one; unfolds it first. */
export function focusSearch(): void {
  const field = document.querySelector<HTMLElement>('[data-search]')
  if (field === null) return
  if (field.offsetParent !== null) return field.focus()
  open.value = true
  requestAnimationFrame(() => field.focus())
}

export interface FilterFormProps {
  label: string
  /** Whether any filter is set: told where they are folded. */
  active: boolean
  children: ComponentChildren
}

export function FilterForm({ label, active, children }: FilterFormProps) {
  useEffect(
    () => () => {
      open.value = false
    },
    []
  )
  return (
    <>
      <button
        type="button"
        class="button button-small filters-toggle"
        aria-expanded={open.value}
        onClick={() => (open.value = !open.value)}
      >
        {active ? texts.feed.filtersOn : texts.feed.filters}
      </button>
      <form
        class={open.value ? 'filters' : 'filters folded'}
        role="search"
        aria-label={label}
        onSubmit={event => event.preventDefault()}
      >
        {children}
      </form>
    </>
  )
}
