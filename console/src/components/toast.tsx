// Short news of what was done, read out and gone after a while.
import { signal } from '@preact/signals'

interface Toast {
  id: number
  text: string
  bad: boolean
}

const SHOWN_MS = 6000
const toasts = signal<readonly Toast[]>([])
let ids = 0

/** Shows a sentence for some seconds. */
export function say(text: string, { bad = false } = {}): void {
  const id = ++ids
  toasts.value = [...toasts.value.slice(-3), { id, text, bad }]
  setTimeout(() => (toasts.value = toasts.value.filter(toast => toast.id !== id)), SHOWN_MS)
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, bad }) => (
        <p key={id} class={bad ? 'toast toast-bad' : 'toast'}>
          {text}
        </p>
      ))}
    </div>
  )
}
