// What the feed shows: fields that change the page's address when one has stopped typing.
import { useEffect, useRef, useState } from 'preact/hooks'
import { kinds, severities } from '../../api/shapes.ts'
import type { Severity } from '../../api/shapes.ts'
import { addressOfQuery, everything, termsOf } from '../../feed/feed-query.ts'
import type { FeedQuery } from '../../feed/feed-query.ts'
import { texts } from '../../texts.ts'

const TYPING_MS = 400
const words = texts.feed

export interface FeedFiltersProps {
  query: FeedQuery
  onChange: (query: FeedQuery) => void
}

export function FeedFilters({ query, onChange }: FeedFiltersProps) {
  const change = (part: Partial<FeedQuery>) => onChange({ ...query, ...part })
  return (
    <form class="filters" role="search" aria-label={words.title} onSubmit={event => event.preventDefault()}>
      <TypedField
        label={words.topics}
        hint={words.topicsHint}
        value={query.topics.join(', ')}
        onTyped={text => change({ topics: termsOf(text) })}
        search
      />
      <TypedField
        label={words.devices}
        hint={words.devicesHint}
        value={query.devices.join(', ')}
        onTyped={text => change({ devices: termsOf(text) })}
      />
      <TypedField
        label={words.text}
        hint={words.textHint}
        value={query.text}
        onTyped={text => change({ text })}
      />
      <label class="field field-short">
        <span>{words.severityMin}</span>
        <select
          value={query.severityMin}
          onChange={event => change({ severityMin: event.currentTarget.value as Severity })}
        >
          {severities.map(severity => (
            <option key={severity} value={severity}>
              {texts.severities[severity]}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="field kinds">
        <legend>{words.kinds}</legend>
        {kinds.map(kind => (
          <label key={kind} class="choice">
            <input
              type="checkbox"
              checked={query.kinds.includes(kind)}
              onChange={() =>
                change({
                  kinds: kinds.filter(each => (each === kind) !== query.kinds.includes(each))
                })
              }
            />
            {texts.kinds[kind]}
          </label>
        ))}
      </fieldset>
      {addressOfQuery(query) !== '' && (
        <button type="button" class="button" onClick={() => onChange(everything)}>
          {words.clear}
        </button>
      )}
    </form>
  )
}

interface TypedFieldProps {
  label: string
  hint: string
  value: string
  onTyped: (text: string) => void
  search?: boolean
}

function TypedField({ label, hint, value, onTyped, search = false }: TypedFieldProps) {
  const [text, setText] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const typed = useRef(value)
  // What is set from elsewhere (a link, "clear") goes before what stands here, but not while somebody types it.
  useEffect(() => {
    if (value === typed.current) return
    typed.current = value
    setText(value)
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const apply = (given: string) => {
    clearTimeout(timer.current)
    typed.current = given
    onTyped(given)
  }
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="search"
        placeholder={hint}
        value={text}
        data-search={search ? '' : undefined}
        spellcheck={false}
        autoComplete="off"
        onInput={event => {
          const given = event.currentTarget.value
          setText(given)
          clearTimeout(timer.current)
          timer.current = setTimeout(() => apply(given), TYPING_MS)
        }}
        onKeyDown={event => {
          if (event.key === 'Enter') apply(event.currentTarget.value)
        }}
      />
    </label>
  )
}
