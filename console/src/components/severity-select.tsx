// From which severity on.
import { severities } from '../api/shapes.ts'
import type { Severity } from '../api/shapes.ts'
import { texts } from '../texts.ts'

export interface SeveritySelectProps {
  value: Severity
  onChange: (severity: Severity) => void
}

/** The least, `info`, lets everything pass. */
export function SeveritySelect({ value, onChange }: SeveritySelectProps) {
  return (
    <label class="field field-short">
      <span>{texts.feed.severityMin}</span>
      <select value={value} onChange={event => onChange(event.currentTarget.value as Severity)}>
        {severities.map(severity => (
          <option key={severity} value={severity}>
            {texts.severities[severity]}
          </option>
        ))}
      </select>
    </label>
  )
}
