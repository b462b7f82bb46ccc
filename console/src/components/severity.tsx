// How bad something is: a shape and a word, so that nobody depends on the colour.
import type { Severity } from '../api/shapes.ts'
import { texts } from '../texts.ts'

export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span class={`severity severity-${severity}`}>
      <svg class="severity-shape" viewBox="0 0 12 12" aria-hidden="true">
        {shapes[severity]}
      </svg>
      <span>{texts.severities[severity]}</span>
    </span>
  )
}

const shapes = {
  critical: <path d="M6 0 12 6 6 12 0 6z" />,
  major: <path d="M6 .6 12 11.4H0z" />,
  minor: <rect x="1" y="1" width="10" height="10" rx="1" />,
  warning: <circle cx="6" cy="6" r="5.4" />,
  info: <circle cx="6" cy="6" r="2.6" />
}
