// Requests to the server, and what may go wrong with them as one kind of error.

/** An answer that is none: problem JSON of the server, or no answer at all (`code` is `unreachable`). */
export class RequestError extends Error {
  readonly code: string
  readonly status: number
  /** Problems of a rule or file, each with its line. */
  readonly problems: readonly { line: number; message: string }[]

  constructor(code: string, message: string, { status = 0, problems = [] as RequestError['problems'] } = {}) {
    super(message)
    this.name = 'RequestError'
    this.code = code
    this.status = status
    this.problems = problems
  }
}

/** Called when the server no longer knows who we are. */
let onSignedOut: () => void = () => {}

/** Sets who is told that a request was refused because the session is over. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener
}

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>

/** A path with a query; lists become repeated parameters, what is undefined or empty is left out. */
export function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === '') continue
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [String(value)])
      parameters.append(name, one)
  }
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}

/** GET; rejects with a `RequestError`. */
export function get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  return ask<Answer>('GET', withQuery(path, query), { ...(signal && { signal }) })
}

/** POST with a JSON body; rejects with a `RequestError`. */
export function post<Answer>(path: string, body: object = {}, signal?: AbortSignal): Promise<Answer> {
  return ask<Answer>('POST', path, {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    ...(signal && { signal })
  })
}

/** DELETE; rejects with a `RequestError`. */
export function remove<Answer>(path: string): Promise<Answer> {
  return ask<Answer>('DELETE', path, {})
}

async function ask<Answer>(method: string, url: string, init: RequestInit): Promise<Answer> {
  const { response, text } = await answerOf(url, { ...init, method, credentials: 'same-origin' })
  const body = parsed(text)
  if (response.ok) {
    if (body === undefined) throw new RequestError('unreachable', '') // somebody in between has answered
    return body as Answer
  }
  const problem = (body ?? {}) as { code?: string; detail?: string; problems?: RequestError['problems'] }
  if (response.status === 401 && !url.startsWith('/v1/session')) onSignedOut()
  throw new RequestError(problem.code ?? 'unreachable', problem.detail ?? response.statusText, {
    status: response.status,
    ...(problem.problems && { problems: problem.problems })
  })
}

/** The whole answer; one that is broken off is none. */
async function answerOf(url: string, init: RequestInit): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(url, init)
    return { response, text: await response.text() }
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new RequestError('unreachable', '')
  }
}

/** Null: it is empty. Undefined: it is no JSON. */
function parsed(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
