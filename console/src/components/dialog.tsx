// A dialog over the page: the browser keeps the focus in it, and closes it on Escape.
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { texts } from '../texts.ts'
import { giveFocusBack } from './focus.ts'

export interface DialogProps {
  title: string
  onClose: () => void
  /** Whether a click beside it closes it, as Escape does. */
  closesBeside?: boolean
  children: ComponentChildren
}

export function Dialog({ title, onClose, closesBeside = true, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    return () => giveFocusBack(before)
  }, [])
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={titleId}
      onClose={onClose}
      onClick={event => {
        if (closesBeside && event.target === element.current) onClose()
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={titleId}>{title}</h2>
          <button type="button" class="icon-button" aria-label={texts.common.close} onClick={onClose}>
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
