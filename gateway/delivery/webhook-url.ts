// URLs of receivers: which are taken, and what of them may be seen.

/** The URL, or in a sentence why it can't be one; the sentence does not quote it, as it may be a secret. */
export function parseWebhookUrl(text: string): { ok: true; url: URL } | { ok: false; problem: string } {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return { ok: false, problem: 'must be a URL that begins with https:// or http://' }
  if (url.username !== '' || url.password !== '')
    return {
      ok: false,
      problem:
        'can’t have a user or a password in it; put what is secret into a file and name it in authorizationFile'
    }
  url.hash = ''
  return { ok: true, url }
}

/** The URL for lists and logs. With many receivers the path is the secret, so it is left out. */
export function shownUrl(url: URL): string {
  return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`
}

/** What of a URL must not be seen where a receiver repeats it. */
export function urlSecrets(url: URL): string[] {
  const pieces = url.pathname.split('/').filter(piece => piece.length >= 8)
  const whole = url.pathname.length > 1 ? [url.pathname] : []
  const values = [...url.searchParams.values()]
  return [...whole, ...pieces, ...(url.search === '' ? [] : [url.search.slice(1)]), ...values]
}
