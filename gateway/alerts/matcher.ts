// Which alerts a route, a silence or an inhibition is for.
import type { Severity } from '../../store/notification.ts'

/** All conditions that are given must hold; in each list, any. In globs, `*` stands for any text. */
export interface AlertMatch {
  severityMin?: Severity
  /** Globs of rules' names. */
  rules?: readonly string[]
  /** Globs of device ids. */
  devices?: readonly string[]
  /** MQTT topic filters that the topic of the alert's event must match. */
  topics?: readonly string[]
  /** Globs of keys. */
  keys?: readonly string[]
  /** Label names and globs of their values; a label that is missing is as an empty one. */
  labels?: Readonly<Record<string, string>>
}
