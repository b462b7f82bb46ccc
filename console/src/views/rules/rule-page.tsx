// One rule: what it says, how it does, and what it would have done.
import { REFRESH_MS, readRules } from '../../api/alerting.ts'
import type { Rule } from '../../api/shapes.ts'
import { Link } from '../../components/link.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { Runbook } from '../../components/runbook.tsx'
import { texts } from '../../texts.ts'
import { DryRunPanel } from './dry-run-panel.tsx'
import { RuleCondition, RuleFigures, RuleKind } from './rule-parts.tsx'
import { ruleText } from './rule-text.ts'

const words = texts.rules

export function RulePage({ name }: { name: string }) {
  const { value: rules, error, reload } = useLoaded(readRules, { everyMs: REFRESH_MS })
  const rule = rules?.find(one => one.name === name)
  return (
    <div class="view-stack">
      <p>
        <Link href="/rules">← {words.all}</Link>
      </p>
      <div class="view-head">
        <h1 class="long-name">{name}</h1>
        {rule && <RuleKind rule={rule} />}
      </div>
      {error !== null && <Problem error={error} onRetry={reload} />}
      {rules === null && error === null && <Loading />}
      {rules !== null && rule === undefined && <p class="empty">{words.unknown(name)}</p>}
      {rule && (
        <>
          <RuleCard rule={rule} />
          <section class="card" aria-labelledby="figures">
            <h2 id="figures">{words.figures}</h2>
            <RuleFigures rule={rule} />
            {rule.lastError !== null && <p class="rule-error">{words.lastError(rule.lastError)}</p>}
            <p class="quiet">{words.sinceStart}</p>
          </section>
          <section class="card" aria-labelledby="dry-run">
            <h2 id="dry-run">{texts.dryRun.title}</h2>
            <p class="quiet">{texts.dryRun.lead}</p>
            <DryRunPanel rule={rule} />
          </section>
        </>
      )}
    </div>
  )
}

function RuleCard({ rule }: { rule: Rule }) {
  return (
    <section class="card" aria-labelledby="says">
      <h2 id="says">{words.content}</h2>
      <dl class="facts">
        <div>
          <dt>{words.condition}</dt>
          <dd>
            <RuleCondition rule={rule} />
          </dd>
        </div>
        {rule.type !== 'offline' && (
          <div>
            <dt>{words.topics}</dt>
            <dd>{rule.topics.length === 0 ? words.anyTopic : <code>{rule.topics.join(', ')}</code>}</dd>
          </div>
        )}
        <div>
          <dt>{words.devices}</dt>
          <dd>{rule.devices.length === 0 ? words.anyDevice : <code>{rule.devices.join(', ')}</code>}</dd>
        </div>
        <div>
          <dt>{words.alertTitle}</dt>
          <dd>{rule.title}</dd>
        </div>
        <div>
          <dt>{words.key}</dt>
          <dd>
            <code>{rule.key}</code>
          </dd>
        </div>
        {rule.runbook !== '' && (
          <div>
            <dt>{words.runbook}</dt>
            <dd>
              <Runbook url={rule.runbook} />
            </dd>
          </div>
        )}
      </dl>
      <details class="rule-text">
        <summary>{words.text}</summary>
        <pre class="payload" tabIndex={0}>
          {ruleText(rule)}
        </pre>
      </details>
    </section>
  )
}
