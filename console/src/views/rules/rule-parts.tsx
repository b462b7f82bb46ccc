// Pieces of a rule that both the list and the rule's page show.
import { Fragment } from 'preact'
import type { Rule } from '../../api/shapes.ts'
import { Link } from '../../components/link.tsx'
import { SeverityMark } from '../../components/severity.tsx'
import { countText } from '../../format.ts'
import { texts } from '../../texts.ts'
import { conditionParts } from './condition-words.ts'

const words = texts.rules

/** The severity of its alerts, and its type. */
export function RuleKind({ rule: { type, severity } }: { rule: Rule }) {
  return (
    <span class="rule-kind">
      {type === 'alarm' ? <span>{words.byValue}</span> : <SeverityMark severity={severity} />}
      <span class="quiet">{words.types[type]}</span>
    </span>
  )
}

export function RuleCondition({ rule }: { rule: Rule }) {
  return (
    <span class="rule-condition">
      {conditionParts(rule).map((part, at) =>
        typeof part === 'string' ? part : <code key={at}>{part.code}</code>
      )}
    </span>
  )
}

/** Which events it looks at. */
export function RuleScope({ rule: { type, topics, devices } }: { rule: Rule }) {
  const list = (items: readonly string[], any: string) =>
    items.length === 0 ? (
      <span class="quiet">{any}</span>
    ) : (
      items.map(item => (
        <Fragment key={item}>
          <code>{item}</code>{' '}
        </Fragment>
      ))
    )
  return (
    <span class="rule-scope">
      {type !== 'offline' && (
        <span>
          {words.topics}: {list(topics, words.anyTopic)}
        </span>
      )}
      <span>
        {words.devices}: {list(devices, words.anyDevice)}
      </span>
    </span>
  )
}

export function RuleFigures({ rule }: { rule: Rule }) {
  const { name, open, raised, evaluations, errors, keys } = rule
  return (
    <dl class="rule-figures">
      <div>
        <dt>{words.open}</dt>
        <dd>
          {open === 0 ? (
            '0'
          ) : (
            <Link href={`/alerts?rule=${encodeURIComponent(name)}`} label={`${words.open}: ${open}`}>
              {countText(open)}
            </Link>
          )}
        </dd>
      </div>
      {[
        [words.raised, raised],
        [words.evaluations, evaluations],
        [words.errors, errors],
        [words.keys, keys]
      ].map(([title, count]) => (
        <div key={title} class={title === words.errors && errors > 0 ? 'figure-bad' : ''}>
          <dt>{title}</dt>
          <dd>{countText(Number(count))}</dd>
        </div>
      ))}
    </dl>
  )
}
