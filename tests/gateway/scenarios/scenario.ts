// Scenarios of the documentation: a block of YAML, an alerting file or its beginning, and a block of lines that say what is
// received when and, behind an arrow, what comes of it. Pure.

export type Step =
  | { do: 'event'; device: string; topic: string; payload: string }
  | { do: 'presence'; device: string; status: 'online' | 'offline'; reason: string }
  | { do: 'acknowledge' | 'resolve'; rule: string; key: string; comment: string }
  | { do: 'silence'; match: unknown; forText: string; comment: string }

export interface Scenario {
  title: string
  /** The alerting file. */
  file: string
  steps: { at: number; step: Step }[]
  /** `12:00:30 sent duty firing freezer-1` and the like, in order. */
  outcomes: string[]
}

const BLOCK = /^```(\w+)\n([\s\S]*?)^```$/gm
/** Midnight of the day on which scenarios play. */
const DAY = Date.UTC(2026, 0, 1)

/** All scenarios of a page, each with the YAML block before it. */
export function scenariosOf(markdown: string): Scenario[] {
  const scenarios: Scenario[] = []
  let file = ''
  for (const [, language, text = ''] of markdown.matchAll(BLOCK)) {
    if (language === 'yaml') file = text
    if (language !== 'scenario') continue
    const title =
      markdown
        .slice(0, markdown.indexOf(text))
        .match(/^#+ .*$/gm)
        ?.at(-1) ?? ''
    scenarios.push({ title: title.replace(/^#+ /, ''), file, ...readLines(text) })
  }
  return scenarios
}

/** All YAML blocks of a page. */
export function yamlBlocksOf(markdown: string): string[] {
  return [...markdown.matchAll(BLOCK)].flatMap(([, language, text = '']) =>
    language === 'yaml' ? [text] : []
  )
}

/** `12:00:30` of a time on the day of scenarios. */
export function clockText(at: number): string {
  return new Date(at).toISOString().slice(11, 19)
}

function readLines(text: string): Pick<Scenario, 'steps' | 'outcomes'> {
  const steps: Scenario['steps'] = []
  const outcomes: string[] = []
  for (const line of text.split('\n').filter(one => one.trim() !== '')) {
    const [, clock = '', rest = ''] = /^(\d\d:\d\d:\d\d) (.*)$/.exec(line) ?? []
    if (clock === '') throw new Error(`no time at the beginning of: ${line}`)
    if (rest.startsWith('→ ')) outcomes.push(`${clock} ${rest.slice(2)}`)
    else steps.push({ at: DAY + msOf(clock), step: stepOf(rest) })
  }
  return { steps, outcomes }
}

function msOf(clock: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = clock.split(':').map(Number)
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}

function stepOf(text: string): Step {
  const acted = /^operator (acknowledges|resolves) (\S+) (\S+) "(.*)"$/.exec(text)
  if (acted) {
    const [, verb, rule = '', key = '', comment = ''] = acted
    return { do: verb === 'resolves' ? 'resolve' : 'acknowledge', rule, key, comment }
  }
  const silenced = /^operator silences (\{.*\}) for (\S+) "(.*)"$/.exec(text)
  if (silenced) {
    const [, match = '', forText = '', comment = ''] = silenced
    return { do: 'silence', match: JSON.parse(match), forText, comment }
  }
  const presence = /^(\S+) (online|offline) (\S+)$/.exec(text)
  if (presence) {
    const [, device = '', status, reason = ''] = presence
    return { do: 'presence', device, status: status === 'online' ? 'online' : 'offline', reason }
  }
  const event = /^(\S+) (\S+) (.+)$/.exec(text)
  if (!event) throw new Error(`not understood: ${text}`)
  const [, device = '', topic = '', payload = ''] = event
  return { do: 'event', device, topic, payload }
}
