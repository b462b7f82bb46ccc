// Links with which a browser signs in at the console.

/** What a server answers to a request for a one-time code. */
export interface SignInCode {
  code: string
  /** RFC 3339 */
  expiresAt: string
}

/** The code is in the fragment, which browsers neither send to servers nor tell to other pages. */
export function consoleLink(base: string, { code }: SignInCode): string {
  return `${base.replace(/\/+$/, '')}/#code=${code}`
}
