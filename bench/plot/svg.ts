// Elements of an SVG as text.

type Attributes = Record<string, string | number>

/** An element; its contents are elements, or text that `escaped` has been through. */
export function element(name: string, attributes: Attributes, ...contents: readonly string[]): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${attributeText(value)}"`)
  return contents.length === 0
    ? `<${name}${given.join('')}/>`
    : `<${name}${given.join('')}>${contents.join('')}</${name}>`
}

/** Text that stands for itself. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

// A tenth of a pixel is more than anybody sees.
function attributeText(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : escaped(value)
}
