// A panel beside a list (over it in a narrow window) with the details of one row.
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { texts } from '../texts.ts'
import { giveFocusBack, usesKeyboard } from './focus.ts'

export interface SidePanelProps {
  title: string
  onClose: () => void
  children: ComponentChildren
}

export function SidePanel({ title, onClose, children }: SidePanelProps) {
  const panel = useRef<HTMLElement>(null)
  // Who opens it by keyboard reads it next; who clicks a row goes on in the list, by arrows too.
  useLayoutEffect(() => {
    const element = panel.current
    const before = document.activeElement
    if (usesKeyboard()) element?.focus()
    return () => {
      const held = document.activeElement
      if (held === document.body || element?.contains(held)) giveFocusBack(before)
    }
  }, [])
  return (
    <section ref={panel} class="side-panel" aria-label={title} tabIndex={-1}>
      <header class="side-panel-head">
        <h2>{title}</h2>
        <button type="button" class="icon-button" aria-label={texts.common.close} onClick={onClose}>
          ✕
        </button>
      </header>
      <div class="side-panel-body" tabIndex={0} role="group" aria-label={title}>
        {children}
      </div>
    </section>
  )
}
