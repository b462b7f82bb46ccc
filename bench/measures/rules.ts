// What rules cost: judging an event where few of many rules look at its topic, with what is saved of it, and the memory of
// the states of many keys. One process, no sockets, no log.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { Agenda } from '../../gateway/alerting/agenda.ts'
import { readYaml } from '../../gateway/alerting/yaml-reader.ts'
import { parseRules } from '../../gateway/rules/parse-rules.ts'
import { RuleEngine } from '../../gateway/rules/rule-engine.ts'
import type { Rule } from '../../gateway/rules/rule.ts'
import { Transaction } from '../../gateway/transaction.ts'
import type { EventNotification } from '../../store/notification.ts'
import { ruleBodies, ruleList } from './rule-texts.ts'
import { median, type MeasureOptions, type Result, type Row } from '../result.ts'

const RULES = 200
const RULES_A_TOPIC = 5
const TOPIC = 'site/+/freezer/+/temperature'
const DEVICES = 1000
const KEYS = 100_000
/** States are saved so often: with a thousand devices that send once a second, every five seconds. */
const SAVE_EVERY_ROUNDS = 5
const EACH = 'CPU µs/event'
const GOAL_US = 5
const GOAL_MB = 100

export async function measureRules(options: MeasureOptions): Promise<Result[]> {
  const title = `judging events by ${RULES} rules of which ${RULES_A_TOPIC} match the topic`
  options.progress(title)
  const rows: Row[] = [
    { name: 'judged', saved: false },
    { name: 'judged, and states saved', saved: true }
  ].map(({ name, saved }) => {
    const all: number[] = []
    for (let round = 0; round <= options.rounds; round++) {
      const each = timeOf(new Bench(mixedRules()), { seconds: options.seconds, saved })
      if (round > 0) all.push(each) // the first one warms up
    }
    const each = median(all)
    return {
      name,
      figures: { [EACH]: each },
      rounds: { [EACH]: all }
    }
  })
  options.progress(`states of ${KEYS} keys`)
  const states = ruleBodies.slice(1).map(memoryOf)
  const judged = rows[0]?.figures[EACH] ?? Number.NaN
  const largest = Math.max(...states.map(({ figures }) => figures['MB'] ?? Number.NaN))
  return [
    {
      measure: 'rules',
      title,
      rows,
      goals: [
        { what: 'judging an event', sense: 'at most', limit: GOAL_US, unit: 'µs of CPU', figure: judged }
      ],
      notes: ['states are saved as of a fleet that sends once a second']
    },
    {
      measure: 'rules',
      title: `memory of the states of ${KEYS.toLocaleString('en')} keys`,
      rows: states,
      goals: [
        {
          what: 'states of any of these rules',
          sense: 'at most',
          limit: GOAL_MB,
          unit: 'MB',
          figure: largest
        }
      ]
    }
  ]
}

/** The engine without a log: what it would save is dropped, and no alert is open. */
class Bench {
  readonly #agenda = new Agenda()
  readonly #engine: RuleEngine

  constructor(rules: readonly Rule[]) {
    const sink = { raise: () => {}, clear: () => {}, isOpen: () => false }
    this.#engine = new RuleEngine({
      agenda: this.#agenda,
      sink,
      touch: () => {},
      keysMax: 10 * KEYS,
      logger: pino({ level: 'silent' })
    })
    this.#engine.configure(rules, { at: 0, presence: [] })
  }

  take(event: EventNotification): void {
    this.#agenda.advance(event.at)
    this.#engine.take(event)
  }

  /** Encodes what would be saved. */
  save(): void {
    this.#engine.save(new Transaction())
  }
}

function timeOf(bench: Bench, { seconds, saved }: { seconds: number; saved: boolean }): number {
  const events = Array.from({ length: DEVICES }, (_, device) => eventOf(device))
  const before = process.cpuUsage()
  const endMs = performance.now() + seconds * 1000
  let judged = 0
  let at = Date.UTC(2026, 0, 1)
  while (performance.now() < endMs) {
    for (const event of events) bench.take({ ...event, at })
    judged += events.length
    if (saved && judged % (SAVE_EVERY_ROUNDS * events.length) === 0) bench.save()
    at += 30_000
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / judged
}

/** A key has had as many events as fill its state. */
function memoryOf(rule: string): Row {
  const bench = new Bench(rulesOf(`- {name: rule, ${rule.replace('60.0', '-60.0')}}`))
  const before = heapBytes()
  // So many fill the state of a rate; the others' are full sooner.
  const times = rule.startsWith('rate') ? 20 : 6
  for (let time = 0; time < times; time++)
    for (let device = 0; device < KEYS; device++)
      bench.take({ ...eventOf(device), at: Date.UTC(2026, 0, 1) + time * 40_000 })
  bench.save()
  const megabytes = (heapBytes() - before) / 1e6
  bench.take(eventOf(0)) // the states are needed up to here
  return {
    name: rule,
    figures: { MB: megabytes, 'bytes/key': (megabytes * 1e6) / KEYS }
  }
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function eventOf(device: number): EventNotification {
  const celsius = 20 + (device % 100) / 10
  return {
    kind: 'event',
    seq: 1,
    at: Date.UTC(2026, 0, 1),
    device: `freezer-${device}`,
    severity: 'info',
    topic: `site/${device % 20}/freezer/${device}/temperature`,
    payload: Buffer.from(
      JSON.stringify({ celsius, humidity: 41.5, battery: 3.61, firmware: '1.20.3', ok: true })
    ),
    format: 'plain',
    source: 'mqtt'
  }
}

function mixedRules(): Rule[] {
  const others = Array.from({ length: RULES - RULES_A_TOPIC }, (_, index) => `site/+/machine-${index}/#`)
  const matching = Array.from({ length: RULES_A_TOPIC }, () => TOPIC)
  return rulesOf(ruleList([...others, ...matching]))
}

function rulesOf(yaml: string): Rule[] {
  const { root, problems } = readYaml(yaml)
  const parsed = root === null ? [] : parseRules(root)
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return parsed
}
