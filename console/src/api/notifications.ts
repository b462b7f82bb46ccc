// History and single notifications.
import type { FeedFilter } from '../feed/feed-connection.ts'
import type { BackwardPlace } from '../feed/feed-follower.ts'
import { get } from './requests.ts'
import type { Notification, NotificationPage } from './shapes.ts'

/** A page of what came after a cursor, oldest first. */
export function readAfter(
  cursor: string,
  filter: FeedFilter,
  limit: number,
  signal?: AbortSignal
): Promise<NotificationPage> {
  return get<NotificationPage>('/v1/notifications', { after: cursor, limit, ...filter }, signal)
}

/** A page of what came before a place, newest first. */
export function readBack(
  place: BackwardPlace,
  filter: FeedFilter,
  limit: number,
  signal?: AbortSignal
): Promise<NotificationPage> {
  return get<NotificationPage>('/v1/notifications', { ...place, limit, ...filter }, signal)
}

/** The one notification at a cursor; rejects with `notification-unknown` when it is no longer kept. */
export function readNotification(cursor: string, signal?: AbortSignal): Promise<Notification> {
  return get<Notification>(`/v1/notifications/${encodeURIComponent(cursor)}`, {}, signal)
}
