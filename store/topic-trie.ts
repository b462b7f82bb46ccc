// Finds every value whose topic filter matches a topic, in time that grows with the topic's levels, not with the
// number of filters. Holds no copy of a filter; removal prunes empty branches.

interface Node<Value> {
  values: Set<Value> | null
  children: Map<string, Node<Value>> | null
}

/** A set of (topic filter, value) pairs. Filters must be valid; matching follows MQTT 5.0 section 4.7. */
export class TopicTrie<Value> {
  #root: Node<Value> = { values: null, children: null }

  /** Adds the pair; adding it twice is adding it once. */
  add(filter: string, value: Value): void {
    let node = this.#root
    for (const level of filter.split('/')) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (child === undefined) node.children.set(level, (child = { values: null, children: null }))
      node = child
    }
    node.values ??= new Set()
    node.values.add(value)
  }

  /** Removes the pair if it is there. */
  remove(filter: string, value: Value): void {
    const levels = filter.split('/')
    const path: Node<Value>[] = [this.#root]
    for (const level of levels) {
      const child = path.at(-1)?.children?.get(level)
      if (child === undefined) return
      path.push(child)
    }
    const leaf = path.at(-1)
    leaf?.values?.delete(value)
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth]
      if (node === undefined || (node.values?.size ?? 0) > 0 || (node.children?.size ?? 0) > 0) return
      path[depth - 1]?.children?.delete(levels[depth - 1] ?? '')
    }
  }

  /** Values whose filter matches the topic; one that was added under several matching filters comes once for each. */
  match(topic: string): Value[] {
    const found: Value[] = []
    const levels = topic.split('/')
    collect(this.#root, { levels, found, wildcards: !topic.startsWith('$') }, 0)
    return found
  }
}

interface Search<Value> {
  levels: string[]
  found: Value[]
  /** False at the first level of a `$` topic, which no wildcard matches [MQTT-4.7.2-1]. */
  wildcards: boolean
}

function collect<Value>(node: Node<Value>, search: Search<Value>, depth: number): void {
  const { levels, found } = search
  const wildcards = search.wildcards || depth > 0
  const rest = wildcards ? node.children?.get('#') : undefined
  if (rest?.values) addAll(found, rest.values) // `a/#` also matches `a` [4.7.1.2]
  const level = levels[depth]
  if (level === undefined) {
    if (node.values) addAll(found, node.values)
    return
  }
  const exact = node.children?.get(level)
  if (exact !== undefined && level !== '+' && level !== '#') collect(exact, search, depth + 1)
  const any = wildcards ? node.children?.get('+') : undefined
  if (any !== undefined) collect(any, search, depth + 1)
}

// Not `push(...values)`: spreading a hundred thousand arguments overflows the stack.
function addAll<Value>(found: Value[], values: Set<Value>): void {
  for (const value of values) found.push(value)
}
