// The example file: every setting with its sentence, its unit and its default, as YAML that changes nothing.
import { stringify } from 'yaml'
import { listSettings, type Setting } from './settings.ts'
import type { SettingType } from './units.ts'

const opening = `# Every setting of Tocsin, with its default. A file needs only what differs.
# The environment overrides the file (mqtt.port is TOCSIN_MQTT__PORT, http.flushMs is TOCSIN_HTTP__FLUSH_MS),
# and flags override both (--mqtt.port 1884).
# Durations are written as a number of the unit at the end of the name, or like 500ms, 30s, 5m, 12h, 7d;
# sizes as bytes, or like 64KiB, 1MB. "tocsin check-config --config FILE" says what is wrong with a file.
`

/** The text of config/tocsin.example.yaml. */
export function renderExample(): string {
  const lines = [opening.trimEnd()]
  let section = ''
  for (const setting of listSettings()) {
    if (setting.section !== section) lines.push('', `${setting.section}:`)
    section = setting.section
    lines.push(...comment(setting).map(line => `  # ${line}`), ...value(setting))
  }
  return `${lines.join('\n')}\n`
}

const WIDTH = 106

function comment({ description }: Setting): string[] {
  const lines: string[] = []
  for (const word of description.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length + 1 > WIDTH) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

function value({ key, type, default: fallback }: Setting): string[] {
  const written = typeof fallback === 'number' ? quantity(fallback, type) : fallback
  const text = stringify({ [key]: written }, { singleQuote: true })
  return text
    .trimEnd()
    .split('\n')
    .map(line => `  ${line}`)
}

/** The number with the largest unit that leaves it whole; as it is where it has no unit. */
function quantity(value: number, { kind, unit }: SettingType): string | number {
  if (value === 0 || (kind !== 'duration' && kind !== 'size')) return value
  const steps = kind === 'size' ? sizeSteps : durationSteps
  const small = unit === 's' ? value * 1000 : value
  const [name, size] = steps.find(([, size]) => small % size === 0) ?? ['', 1]
  return name === '' ? value : `${small / size}${name}`
}

const sizeSteps = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024]
] as const
const durationSteps = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1]
] as const
