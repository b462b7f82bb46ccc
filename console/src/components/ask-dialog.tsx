// A dialog that asks before something is done, does it, and says what went wrong.
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { texts } from '../texts.ts'
import { Dialog } from './dialog.tsx'
import { problemText } from './problem.tsx'

export interface AskDialogProps {
  title: string
  submit: string
  onClose: () => void
  /** Does it; what it throws is shown in the dialog. */
  onSubmit: () => Promise<void>
  children: ComponentChildren
}

export function AskDialog({ title, submit, onClose, onSubmit, children }: AskDialogProps) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const perform = async () => {
    if (busy) return
    setBusy(true)
    setProblem('')
    try {
      await onSubmit()
    } catch (error) {
      setProblem(problemText(error))
    }
    setBusy(false)
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="action-form"
        onSubmit={event => {
          event.preventDefault()
          void perform()
        }}
        onKeyDown={event => {
          // In a text of several lines Enter is a new line.
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit()
        }}
      >
        {children}
        {problem !== '' && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <p class="actions actions-end">
          <button type="button" class="button" onClick={onClose}>
            {texts.common.cancel}
          </button>
          <button type="submit" class="button button-main" disabled={busy}>
            {submit}
          </button>
        </p>
      </form>
    </Dialog>
  )
}
