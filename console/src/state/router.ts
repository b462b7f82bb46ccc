// Where in the page one is: the address as a signal, and how to go elsewhere.
import { signal } from '@preact/signals'

export interface Place {
  /** The parts of the path, decoded. Empty: the start. */
  path: readonly string[]
  query: URLSearchParams
}

export const place = signal<Place>(placeOf(location))

addEventListener('popstate', () => (place.value = placeOf(location)))

/** Goes to a path within the page, to its beginning; `replace` leaves no step to go back to, and stays where one looks. */
export function go(href: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', href)
  else {
    history.pushState(null, '', href)
    const content = document.querySelector<HTMLElement>('#content')
    content?.scrollTo(0, 0)
    // Who reads or goes on by keyboard begins there, too.
    content?.focus({ preventScroll: true })
  }
  place.value = placeOf(location)
}

/** A path of parts that may hold any characters. */
export function pathOf(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`
}

function placeOf({ pathname, search }: { pathname: string; search: string }): Place {
  const parts = pathname.split('/').filter(part => part !== '')
  return { path: parts.map(decoded), query: new URLSearchParams(search) }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // somebody typed a % into the address
  }
}
