// The rules of measures: of five types, and none of whose alerts is open for what the load makers send.

export const ruleBodies = [
  'when: payload.celsius > 60.0, clear: payload.celsius < 50.0',
  'when: payload.celsius > 15.0, for: 1h',
  'when: payload.celsius > 60.0, count: 5, within: 10m',
  'rate: payload.celsius, per: 1m, within: 10m, when: rate > 100.0',
  'absent: 15m'
]

/** A list of rules in YAML's short form, one for each topic filter. */
export function ruleList(topics: readonly string[]): string {
  return topics
    .map(
      (topic, index) =>
        `- {name: rule-${index}, topics: [${topic}], ${ruleBodies[index % ruleBodies.length]}}\n`
    )
    .join('')
}
