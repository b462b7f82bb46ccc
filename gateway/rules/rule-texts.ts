// What a rule says of an alert. Pure.
import type { Scope } from './expression.ts'
import type { Rule } from './rule.ts'

export interface Texts {
  title: string
  detail: string
  labels: Record<string, string>
}

/** The rule's texts with what a scope has to say filled in. */
export function renderTexts({ title, detail, labels }: Rule, scope: Scope): Texts {
  const rendered: Record<string, string> = {}
  for (const [name, template] of Object.entries(labels)) rendered[name] = template.render(scope)
  return { title: title.render(scope), detail: detail.render(scope), labels: rendered }
}
