// The cookie of a session (RFC 6265). Pure.

export interface SessionCookie {
  readonly name: string
  /** All values that a Cookie header has for it: other servers of this host, or pages, may have set more than one. */
  read(header: string | undefined): string[]
  /** The Set-Cookie header that makes a browser keep it for so long. */
  write(secret: string, ageMs: number): string
  /** The Set-Cookie header that makes a browser forget it. */
  clear(): string
}

/**
 * Browsers share cookies between the ports of a host, so its name holds the epoch of the log: two servers on one machine
 * do not sign each other's users out. Where people reach this server by https it is for https only, and the prefix
 * `__Host-` keeps sites of the same domain from setting it.
 */
export function sessionCookie({ epoch, publicUrl }: { epoch: string; publicUrl: string }): SessionCookie {
  const secure = /^https:/i.test(publicUrl)
  const name = `${secure ? '__Host-' : ''}tocsin_session_${epoch}`
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  return {
    name,
    read: header =>
      (header ?? '').split(';').flatMap(pair => {
        const [key = '', value] = pair.trim().split('=', 2)
        return key === name && value !== undefined ? [value] : []
      }),
    write: (secret, ageMs) =>
      `${name}=${secret}; Max-Age=${Math.max(0, Math.floor(ageMs / 1000))}; ${attributes}`,
    clear: () => `${name}=; Max-Age=0; ${attributes}`
  }
}
