// A text to be copied as it stands. It says itself what became of that: in a dialog nothing else can be heard.
import { useId, useRef, useState } from 'preact/hooks'
import { texts } from '../texts.ts'

export interface CopyFieldProps {
  label: string
  text: string
  /** Whether it has the focus when its dialog opens. */
  autoFocus?: boolean
}

export function CopyField({ label, text, autoFocus = false }: CopyFieldProps) {
  const field = useRef<HTMLInputElement>(null)
  const [note, setNote] = useState('')
  const id = useId()
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setNote(texts.common.copied)
    } catch {
      // Over plain HTTP the browser has no clipboard for pages, and somebody may have forbidden it.
      field.current?.select()
      setNote(texts.common.copyByHand)
    }
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="copy-field">
        <input
          ref={field}
          id={id}
          readOnly
          value={text}
          autoFocus={autoFocus}
          autoComplete="off"
          spellcheck={false}
          onFocus={event => event.currentTarget.select()}
        />
        <button type="button" class="button" onClick={() => void copy()}>
          {texts.common.copy}
        </button>
      </div>
      <p class="quiet" role="status">
        {note}
      </p>
    </div>
  )
}
