// The notification that made a rule fire in a dry run.
import { useCallback } from 'preact/hooks'
import { readNotification } from '../../api/notifications.ts'
import { RequestError } from '../../api/requests.ts'
import type { Firing } from '../../api/shapes.ts'
import { Dialog } from '../../components/dialog.tsx'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { NotificationDetails } from '../../components/notification-details.tsx'
import { Problem } from '../../components/problem.tsx'
import { texts } from '../../texts.ts'

export function CauseDialog({ firing, onClose }: { firing: Firing; onClose: () => void }) {
  return (
    <Dialog title={firing.title} onClose={onClose}>
      {firing.cause === '' ? <p>{texts.dryRun.noCause}</p> : <Cause cursor={firing.cause} />}
    </Dialog>
  )
}

function Cause({ cursor }: { cursor: string }) {
  const load = useCallback((signal: AbortSignal) => readNotification(cursor, signal), [cursor])
  const { value, error, reload } = useLoaded(load)
  if (value !== null) return <NotificationDetails notification={value} />
  if (error === null) return <Loading />
  return isGone(error) ? <p>{texts.dryRun.causeGone}</p> : <Problem error={error} onRetry={reload} />
}

/** Whether what was asked for is no longer kept. */
export function isGone(error: unknown): boolean {
  return error instanceof RequestError && error.code === 'notification-unknown'
}
