// Which devices are shown: fields that change the page's address, the text when one has stopped typing.
import { TypedField } from '../../components/typed-field.tsx'
import { texts } from '../../texts.ts'
import { deviceStatuses } from './device-query.ts'
import type { DeviceQuery } from './device-query.ts'

/** The server takes no longer text. */
const SEARCH_CHARACTERS_MAX = 256
const words = texts.devices

export interface DeviceFiltersProps {
  query: DeviceQuery
  /** Called with what is to be other: the rest may have changed since one began to type. */
  onChange: (part: Partial<DeviceQuery>) => void
  /** Called when one goes on from the text to what was found. */
  onLeaveSearch: () => void
}

export function DeviceFilters({ query, onChange, onLeaveSearch }: DeviceFiltersProps) {
  return (
    <form
      class="filters"
      role="search"
      aria-label={words.title}
      onSubmit={event => event.preventDefault()}
      onKeyDown={event => {
        if (event.key !== 'ArrowDown' || !(event.target instanceof HTMLInputElement)) return
        event.preventDefault()
        onLeaveSearch()
      }}
    >
      <TypedField
        label={words.search}
        hint={words.searchHint}
        value={query.search}
        onTyped={text => onChange({ search: text.slice(0, SEARCH_CHARACTERS_MAX) })}
        search
      />
      <label class="field field-short">
        <span>{words.status}</span>
        <select
          value={query.status ?? ''}
          onChange={({ currentTarget: { value } }) =>
            onChange({ status: deviceStatuses.find(status => status === value) ?? null })
          }
        >
          <option value="">{words.anyStatus}</option>
          {deviceStatuses.map(status => (
            <option key={status} value={status}>
              {words.statuses[status]}
            </option>
          ))}
        </select>
      </label>
    </form>
  )
}
