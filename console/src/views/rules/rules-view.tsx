// All rules and how they do, the handlers, and how the file they come from is read again.
import { useState } from 'preact/hooks'
import { REFRESH_MS, readHandlers, readRules } from '../../api/alerting.ts'
import { post } from '../../api/requests.ts'
import type { Handler, Rule } from '../../api/shapes.ts'
import { FileProblems } from '../../components/file-problems.tsx'
import { Link } from '../../components/link.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { say } from '../../components/toast.tsx'
import { countText, roundText } from '../../format.ts'
import { pathOf, place } from '../../state/router.ts'
import { may } from '../../state/session.ts'
import { texts } from '../../texts.ts'
import { RuleCondition, RuleFigures, RuleKind, RuleScope } from './rule-parts.tsx'
import { TryRule } from './try-rule.tsx'

const words = texts.rules

/** `/rules?try=1` is for a rule that is not in force: any path below /rules could be a rule's name. */
export function RulesView() {
  return place.value.query.has('try') ? <TryRule /> : <AllRules />
}

function AllRules() {
  const { value: rules, error, reload } = useLoaded(readRules, { everyMs: REFRESH_MS })
  const { value: handlers } = useLoaded(readHandlers, { everyMs: REFRESH_MS })
  const [refusal, setRefusal] = useState<unknown>(null)
  return (
    <div class="view-stack">
      <div class="view-head">
        <h1>{words.title}</h1>
        <div class="actions">
          <Link href="/rules?try=1" class="button">
            {words.tryNew}
          </Link>
          {may('admin') && <ReloadButton onReloaded={reload} onRefused={setRefusal} />}
        </div>
      </div>
      {refusal !== null && <FileProblems error={refusal} lead={words.reloadRefused} />}
      {error !== null && <Problem error={error} onRetry={reload} />}
      {rules === null && error === null && <Loading />}
      {rules !== null && (rules.length === 0 ? <NoRules /> : <RuleList rules={rules} />)}
      {handlers !== null && handlers.length > 0 && <Handlers handlers={handlers} />}
    </div>
  )
}

function NoRules() {
  return (
    <section class="card">
      <p>
        <strong>{words.none}</strong>
      </p>
      <p class="quiet">{words.begin}</p>
    </section>
  )
}

function RuleList({ rules }: { rules: readonly Rule[] }) {
  return (
    <>
      <ul class="rule-list">
        {rules.map(rule => (
          <li key={rule.name} class="card rule-row">
            <div class="rule-main">
              <h2>
                <Link href={pathOf('rules', rule.name)}>{rule.name}</Link>
              </h2>
              <RuleKind rule={rule} />
              <RuleCondition rule={rule} />
              <RuleScope rule={rule} />
              {rule.lastError !== null && <span class="rule-error">{words.lastError(rule.lastError)}</span>}
            </div>
            <RuleFigures rule={rule} />
          </li>
        ))}
      </ul>
      <p class="quiet">{words.sinceStart}</p>
    </>
  )
}

interface ReloadButtonProps {
  onReloaded: () => void
  /** Null: it was not. */
  onRefused: (error: unknown) => void
}

function ReloadButton({ onReloaded, onRefused }: ReloadButtonProps) {
  const [busy, setBusy] = useState(false)
  const readAgain = async () => {
    setBusy(true)
    try {
      const counts = await post<Record<'rules' | 'handlers' | 'channels' | 'routes', number>>('/v1/reload')
      onRefused(null)
      say(words.reloaded(counts.rules, counts.handlers, counts.channels, counts.routes))
      onReloaded()
    } catch (error) {
      onRefused(error)
    }
    setBusy(false)
  }
  return (
    <button type="button" class="button" disabled={busy} onClick={() => void readAgain()}>
      {busy ? words.reloading : words.reload}
    </button>
  )
}

function Handlers({ handlers }: { handlers: readonly Handler[] }) {
  const columns = words.handlerColumns
  return (
    <section class="card" aria-labelledby="handlers">
      <h2 id="handlers">{words.handlers}</h2>
      <div class="table-scroll" tabIndex={0} role="group" aria-labelledby="handlers">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{columns.module}</th>
              <th scope="col">{columns.pattern}</th>
              <th scope="col" class="number">
                {columns.events}
              </th>
              <th scope="col" class="number">
                {columns.errors}
              </th>
              <th scope="col">{columns.slow}</th>
            </tr>
          </thead>
          <tbody>
            {handlers.map(({ module, pattern, events, errors, lastError, slow, longestMs }) => (
              <tr key={`${module} ${pattern}`}>
                <td>
                  {module}
                  {lastError !== null && <div class="rule-error">{words.lastError(lastError)}</div>}
                </td>
                <td>
                  <code>{pattern}</code>
                </td>
                <td class="number">{countText(events)}</td>
                <td class="number">{countText(errors)}</td>
                <td>{slow === 0 ? texts.common.none : words.slow(countText(slow), roundText(longestMs))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
