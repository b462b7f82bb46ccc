// Whether a device is connected: a shape and a word, so that nobody depends on the colour.
import type { Device } from '../../api/shapes.ts'
import { texts } from '../../texts.ts'

const words = texts.devices

export function PresenceMark({ presence }: { presence: Device['presence'] }) {
  const status = presence?.status ?? 'unknown'
  return (
    <span class={`presence presence-${status}`} title={words.statusHints[status]}>
      <i aria-hidden="true" />
      {words.statuses[status]}
    </span>
  )
}
