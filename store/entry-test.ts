// Tests stored entries against a filter, decoding no more of each than the filter looks at. Pure.
import { readHead, skipEntry } from './entry-codec.ts'
import { compileFilter } from './filter.ts'
import type { MsgpackReader } from './msgpack-reader.ts'
import type { Filter } from './store.ts'

/** A test that steps over the entry at the reader's place and says whether it passes. */
export function entryTest(filter: Filter | null): (reader: MsgpackReader) => boolean {
  if (filter === null || wantsAll(filter))
    return reader => {
      skipEntry(reader)
      return true
    }
  const test = compileFilter(filter)
  const withTopic = filter.topics !== undefined
  return reader => test(readHead(reader, withTopic))
}

/** Whether the filter has no condition: then entries need not be looked at. */
function wantsAll(filter: Filter): boolean {
  return Object.values(filter).every(condition => condition === undefined)
}
