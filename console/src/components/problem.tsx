// What went wrong, said where it matters, with a way on.
import { RequestError } from '../api/requests.ts'
import { texts } from '../texts.ts'

/** A sentence for an error of a request. */
export function problemText(error: unknown): string {
  if (!(error instanceof RequestError)) return texts.common.failed(String(error))
  if (error.code === 'unreachable' && error.message === '') return texts.common.unreachable
  return texts.common.failed(error.message)
}

export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <p>{problemText(error)}</p>
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          {texts.common.retry}
        </button>
      )}
    </div>
  )
}
