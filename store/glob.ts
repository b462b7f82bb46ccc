// Globs: texts in which `*` stands for any text, and nothing else is special. Pure.

/** Tells whether a text matches. */
export type GlobTest = (text: string) => boolean

/** Whether the glob matches the whole text. */
export function globMatches(glob: string, text: string): boolean {
  return compileGlob(glob)(text)
}

/** Whether any of the globs matches; of no globs, none does. */
export function compileGlobs(globs: readonly string[]): GlobTest {
  const exact = new Set<string>()
  const tests: GlobTest[] = []
  for (const glob of globs) {
    if (glob.includes('*')) tests.push(compileGlob(glob))
    else exact.add(glob)
  }
  const [only] = tests
  if (only === undefined) return text => exact.has(text)
  if (exact.size === 0 && tests.length === 1) return only
  return text => exact.has(text) || tests.some(matches => matches(text))
}

// Each part between two `*` is taken where it is found first: what is left for the parts behind it can't be longer than
// that, so that there is nothing to try again.
function compileGlob(glob: string): GlobTest {
  const parts = glob.split('*')
  const head = parts.shift() ?? ''
  const tail = parts.pop()
  if (tail === undefined) return text => text === glob
  const middle = parts.filter(part => part !== '')
  return text => {
    const end = text.length - tail.length
    if (end < head.length || !text.startsWith(head) || !text.endsWith(tail)) return false
    let at = head.length
    for (const part of middle) {
      const found = text.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return at <= end
  }
}
