// A link within the page: it goes there without loading anew, and opens elsewhere as any link does.
import type { ComponentChildren } from 'preact'
import { go } from '../state/router.ts'

export interface LinkProps {
  href: string
  children: ComponentChildren
  class?: string
  /** Marks the page one is on. */
  current?: boolean
  label?: string
}

export function Link({ href, children, class: className, current = false, label }: LinkProps) {
  return (
    <a
      href={href}
      class={className}
      aria-current={current ? 'page' : undefined}
      aria-label={label}
      onClick={event => follow(event, href)}
    >
      {children}
    </a>
  )
}

function follow(event: MouseEvent, href: string): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  go(href)
}
