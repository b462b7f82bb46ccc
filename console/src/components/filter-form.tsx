// The filters above a list. In a narrow window they are folded, so that the list has the room.
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { texts } from '../texts.ts'

export interface FilterFormProps {
  label: string
  /** Whether any filter is set: told where they are folded. */
  active: boolean
  children: ComponentChildren
}

export function FilterForm({ label, active, children }: FilterFormProps) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button
        type="button"
        class="button button-small filters-toggle"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {active ? texts.feed.filtersOn : texts.feed.filters}
      </button>
      <form
        class={open ? 'filters' : 'filters folded'}
        role="search"
        aria-label={label}
        onSubmit={event => event.preventDefault()}
      >
        {children}
      </form>
    </>
  )
}
