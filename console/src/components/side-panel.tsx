// A panel beside a list (over it in a narrow window) with the details of one row.
import type { ComponentChildren } from 'preact'
import { texts } from '../texts.ts'

export interface SidePanelProps {
  title: string
  onClose: () => void
  children: ComponentChildren
}

export function SidePanel({ title, onClose, children }: SidePanelProps) {
  return (
    <section class="side-panel" aria-label={title} tabIndex={-1}>
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
