// What is only in notifications of some kind, as messages show it. Pure.
import { alertFields } from '../../store/alert-message.ts'
import type { Notification } from '../../store/notification.ts'

/** The fields that the kind adds to those all notifications have. */
export function ownFields(notification: Exclude<Notification, { kind: 'event' }>): object {
  switch (notification.kind) {
    case 'presence': {
      const { status, reason, session, order } = notification
      return { status, reason, session, order }
    }
    case 'alert':
      return alertFields(notification)
    case 'delivery': {
      const { alert, alerts, delivery, channel, attempt, outcome, detail, cause } = notification
      return { alert, ...(alerts && { alerts }), delivery, channel, attempt, outcome, detail, cause }
    }
  }
}
