// Alerts that are over, a page at a time.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { get } from '../../api/requests.ts'
import type { Alert, AlertPage } from '../../api/shapes.ts'
import { addressOfAlertQuery } from '../../alerts/alert-query.ts'
import type { AlertQuery } from '../../alerts/alert-query.ts'

const PAGE = 100

export interface ResolvedAlerts {
  alerts: readonly Alert[]
  /** There are no more. */
  ended: boolean
  error: unknown
  loadMore: () => void
}

/** The first page at once, the others when they are asked for. */
export function useResolvedAlerts(query: AlertQuery): ResolvedAlerts {
  const address = addressOfAlertQuery(query)
  const [state, setState] = useState<Omit<ResolvedAlerts, 'loadMore'>>(nothing)
  const position = useRef<{ address: string; next: string | undefined; loading: boolean }>(
    beginningOf(address)
  )
  const loadMore = useCallback(() => {
    if (position.current.address !== address) position.current = beginningOf(address)
    const at = position.current
    if (at.loading) return
    at.loading = true
    const { severityMin, rules, devices } = query
    get<AlertPage>('/v1/alerts', {
      states: ['resolved'],
      severityMin,
      rules,
      devices,
      limit: PAGE,
      cursor: at.next
    }).then(
      page => {
        if (position.current !== at) return // another query was asked meanwhile
        at.next = page.next ?? undefined
        at.loading = page.next === null // then there is nothing to load any more
        setState(before => ({
          alerts: [...before.alerts, ...page.items],
          ended: page.next === null,
          error: null
        }))
      },
      (error: unknown) => {
        at.loading = false
        if (position.current === at) setState(before => ({ ...before, error }))
      }
    )
  }, [address])
  useEffect(() => {
    position.current = beginningOf(address)
    setState(nothing)
    loadMore()
  }, [address])
  return { ...state, loadMore }
}

const nothing = { alerts: [] as readonly Alert[], ended: false, error: null }

function beginningOf(address: string) {
  return { address, next: undefined as string | undefined, loading: false }
}
