// How often something happened, in words. Pure.
import { countText } from '../../format.ts'
import { texts } from '../../texts.ts'

export function timesText(count: number): string {
  return count === 1 ? texts.dryRun.once : texts.dryRun.times(countText(count))
}
