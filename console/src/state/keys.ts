// Keys that do something wherever the focus is, but for where somebody types.
import { useLayoutEffect, useRef } from 'preact/hooks'

type Actions = Record<string, () => void>

/** What is on the page now, as of its last drawing; of two for one key the one that came last counts. */
const active: (() => Actions)[] = []
const SEQUENCE_MS = 1200
let prefix: { key: string; at: number } | null = null

document.addEventListener('keydown', event => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
    return
  if (isPressed(event)) return
  if (document.querySelector('dialog[open]') !== null) return
  const begun = prefix !== null && event.timeStamp - prefix.at < SEQUENCE_MS ? `${prefix.key} ` : ''
  prefix = null
  const action = find(begun + event.key) ?? find(event.key)
  if (action !== undefined) {
    event.preventDefault()
    action()
  } else if (active.some(actions => Object.keys(actions()).some(keys => keys.startsWith(`${event.key} `))))
    prefix = { key: event.key, at: event.timeStamp }
})

/** Binds keys (`a`, or two after each other: `g a`) while the component is there. */
export function useKeys(actions: Actions): void {
  const current = useRef(actions)
  current.current = actions
  useLayoutEffect(() => {
    const ours = () => current.current
    active.push(ours)
    return () => void active.splice(active.indexOf(ours), 1)
  }, [])
}

function find(keys: string): (() => void) | undefined {
  return active.findLast(actions => Object.hasOwn(actions(), keys))?.()[keys]
}

/** Whether the key is the focused button's or link's own. */
function isPressed({ key, target }: KeyboardEvent): boolean {
  return (
    (key === 'Enter' || key === ' ') &&
    target instanceof HTMLElement &&
    target.closest('a, button, summary, input') !== null
  )
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  )
    return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type)
}
