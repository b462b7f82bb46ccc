// Takes secrets out of texts that others wrote, such as a receiver that answers with the headers it was sent. Pure.

const MARK = '…'
/** What is shorter would be found in any text. */
const SECRET_CHARS_MIN = 4

/** A function that takes these secrets out of a text, and a piece of one at its end, where the text was cut. */
export function redaction(secrets: readonly string[]): (text: string) => string {
  const hidden = [...new Set(secrets.flatMap(spellings))]
    .filter(({ length }) => length >= SECRET_CHARS_MIN)
    .toSorted((one, other) => other.length - one.length)
  return text => {
    let rest = text
    for (const secret of hidden) rest = rest.replaceAll(secret, MARK)
    for (const secret of hidden) rest = withoutPieceAtEnd(rest, secret)
    return rest
  }
}

/** How a text that was sent may come back. */
function spellings(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, json, json.replaceAll('/', '\\/'), encodeURIComponent(secret), decoded(secret)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function withoutPieceAtEnd(text: string, secret: string): string {
  for (let chars = Math.min(secret.length - 1, text.length); chars >= SECRET_CHARS_MIN; chars--)
    if (text.endsWith(secret.slice(0, chars))) return text.slice(0, -chars) + MARK
  return text
}
