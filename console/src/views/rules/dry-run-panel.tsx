// A rule, in force or as it is written here, run over stored history.
import { useEffect, useRef, useState } from 'preact/hooks'
import { post } from '../../api/requests.ts'
import type { DryRun, Rule } from '../../api/shapes.ts'
import { FileProblems } from '../../components/file-problems.tsx'
import { may } from '../../state/session.ts'
import { texts } from '../../texts.ts'
import { DryRunResult } from './dry-run-result.tsx'
import { ruleText } from './rule-text.ts'

const words = texts.dryRun
const TYPED = 'typed'

export function DryRunPanel({ rule }: { rule: Rule | null }) {
  const [edits, setEdits] = useState(rule === null)
  const [text, setText] = useState(() => (rule === null ? words.example : ruleText(rule)))
  const [preset, setPreset] = useState('24h')
  const [typedFrom, setTypedFrom] = useState('')
  const [to, setTo] = useState('')
  const run = useDryRun()
  if (!may('operator')) return <p class="notice">{words.viewer}</p>
  const start = () => {
    const times = {
      from: preset === TYPED ? typedFrom.trim() : preset,
      ...(to.trim() !== '' && { to: to.trim() })
    }
    return edits || rule === null
      ? run.start({ rule: text, ...times }, text)
      : run.start({ name: rule.name, ...times }, ruleText(rule))
  }
  return (
    <div class="dry-run">
      <form
        class="dry-run-form"
        onSubmit={event => {
          event.preventDefault()
          void start()
        }}
      >
        {rule !== null && (
          <fieldset class="field">
            <legend>{words.which}</legend>
            <label class="choice">
              <input type="radio" name="which" checked={!edits} onChange={() => setEdits(false)} />
              {words.inForce}
            </label>
            <label class="choice">
              <input type="radio" name="which" checked={edits} onChange={() => setEdits(true)} />
              {words.edited}
            </label>
          </fieldset>
        )}
        {edits && (
          <label class="field dry-run-text">
            <span>{words.text}</span>
            <textarea
              rows={Math.min(24, Math.max(8, text.split('\n').length + 1))}
              spellcheck={false}
              required
              value={text}
              onInput={event => setText(event.currentTarget.value)}
              onKeyDown={event => {
                if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void start()
              }}
            />
          </label>
        )}
        <div class="dry-run-times">
          <label class="field">
            <span>{words.from}</span>
            <select value={preset} onChange={event => setPreset(event.currentTarget.value)}>
              {Object.entries(words.presets).map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
              <option value={TYPED}>{words.typed}</option>
            </select>
          </label>
          {preset === TYPED && (
            <label class="field">
              <span>{words.fromTyped}</span>
              <input
                required
                value={typedFrom}
                placeholder={words.timeHint}
                onInput={event => setTypedFrom(event.currentTarget.value)}
              />
            </label>
          )}
          <label class="field">
            <span>{words.to}</span>
            <input
              value={to}
              placeholder={words.timeHint}
              onInput={event => setTo(event.currentTarget.value)}
            />
          </label>
          {/* Keys: as one element, it would be a submit button by the time that the browser ends the click on Stop. */}
          {run.busy ? (
            <button key="abort" type="button" class="button" onClick={run.abort}>
              {words.abort}
            </button>
          ) : (
            <button key="run" type="submit" class="button button-main">
              {words.run}
            </button>
          )}
        </div>
      </form>
      <p class="dry-run-state" role="status">
        {run.busy && words.running}
        {run.aborted && words.aborted}
      </p>
      {run.error !== null && <FileProblems error={run.error} lead={words.problems} />}
      {run.result !== null && <DryRunResult key={run.turn} result={run.result} text={run.text} />}
    </div>
  )
}

interface DryRunRequest {
  rule?: string
  name?: string
  from: string
  to?: string
}

interface Run {
  busy: boolean
  aborted: boolean
  result: DryRun | null
  error: unknown
  /** What was tried, as YAML. */
  text: string
  /** Counts the runs. */
  turn: number
}

const idle: Run = { busy: false, aborted: false, result: null, error: null, text: '', turn: 0 }

/** One dry run at a time; it ends on the server, too, when it is aborted here or the page is left. */
function useDryRun(): Run & {
  start: (request: DryRunRequest, text: string) => Promise<void>
  abort: () => void
} {
  const [run, setRun] = useState<Run>(idle)
  const wanted = useRef<AbortController | null>(null)
  useEffect(() => () => wanted.current?.abort(), [])
  const start = async (request: DryRunRequest, text: string) => {
    wanted.current?.abort()
    const controller = new AbortController()
    wanted.current = controller
    setRun(({ turn }) => ({ ...idle, busy: true, turn: turn + 1 }))
    try {
      const result = await post<DryRun>('/v1/rules/dry-run', request, controller.signal)
      if (!controller.signal.aborted) setRun(({ turn }) => ({ ...idle, result, text, turn }))
    } catch (error) {
      if (!controller.signal.aborted) setRun(({ turn }) => ({ ...idle, error, turn }))
    }
  }
  const abort = () => {
    wanted.current?.abort()
    setRun(({ turn }) => ({ ...idle, aborted: true, turn }))
  }
  return { ...run, start, abort }
}
