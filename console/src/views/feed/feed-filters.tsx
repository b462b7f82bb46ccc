// What the feed shows: fields that change the page's address when one has stopped typing.
import { kinds } from '../../api/shapes.ts'
import type { Kind } from '../../api/shapes.ts'
import { FilterForm } from '../../components/filter-form.tsx'
import { SeveritySelect } from '../../components/severity-select.tsx'
import { TypedField } from '../../components/typed-field.tsx'
import { addressOfQuery, everything, termsOf } from '../../feed/feed-query.ts'
import type { FeedQuery } from '../../feed/feed-query.ts'
import { texts } from '../../texts.ts'

const words = texts.feed

export interface FeedFiltersProps {
  query: FeedQuery
  onChange: (query: FeedQuery) => void
}

export function FeedFilters({ query, onChange }: FeedFiltersProps) {
  const change = (part: Partial<FeedQuery>) => onChange({ ...query, ...part })
  return (
    <FilterForm label={words.title} active={addressOfQuery(query) !== ''}>
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
      <SeveritySelect value={query.severityMin} onChange={severityMin => change({ severityMin })} />
      <KindsField chosen={query.kinds} onChange={chosen => change({ kinds: chosen })} />
      {addressOfQuery(query) !== '' && (
        <button type="button" class="button" onClick={() => onChange(everything)}>
          {words.clear}
        </button>
      )}
    </FilterForm>
  )
}

/** Which kinds are shown; none chosen: all. */
export function KindsField(props: { chosen: readonly Kind[]; onChange: (kinds: Kind[]) => void }) {
  const { chosen, onChange } = props
  return (
    <fieldset class="field kinds">
      <legend>{words.kinds}</legend>
      {kinds.map(kind => (
        <label key={kind} class="choice">
          <input
            type="checkbox"
            checked={chosen.includes(kind)}
            onChange={() => onChange(kinds.filter(each => (each === kind) !== chosen.includes(each)))}
          />
          {texts.kinds[kind]}
        </label>
      ))}
    </fieldset>
  )
}
