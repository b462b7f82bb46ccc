// Topic patterns with named levels: `site/:site/door/:door`. Pure.
import { isTopicFilter } from '../../store/topic-filter.ts'

export interface TopicPattern {
  /** The MQTT topic filter that matches the same topics. */
  filter: string
  /** The named levels of a topic that it matches. */
  params(topic: string): Record<string, string>
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Reads a pattern: `:name` stands for one level, which is called so; `+` for one that isn't; `#`, at the end, for the
 * rest, which is called `rest`. Throws a sentence when it is none.
 */
export function parseTopicPattern(pattern: string): TopicPattern {
  const names: [index: number, name: string][] = []
  const levels = pattern.split('/').map((level, index) => {
    if (!level.startsWith(':')) return level
    const name = level.slice(1)
    if (!NAME.test(name)) throw new Error(`"${level}" is no name of a level: use letters, digits and _`)
    if (name === '__proto__' || names.some(([, known]) => known === name))
      throw new Error(`the level ${level} is named twice, or can't be named so`)
    names.push([index, name])
    return '+'
  })
  const filter = levels.join('/')
  if (!isTopicFilter(filter)) throw new Error(`"${pattern}" is no topic pattern`)
  const rest = levels.at(-1) === '#' ? levels.length - 1 : -1
  return {
    filter,
    params(topic) {
      const have = topic.split('/')
      const params: Record<string, string> = {}
      for (const [index, name] of names) params[name] = have[index] ?? ''
      if (rest >= 0) params['rest'] = have.slice(rest).join('/')
      return params
    }
  }
}
