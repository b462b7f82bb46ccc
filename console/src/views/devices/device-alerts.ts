// Open alerts by the device they are about.
import { computed } from '@preact/signals'
import type { Alert } from '../../api/shapes.ts'
import { openAlerts } from '../../state/open-alerts.ts'

/** Each device's, the worst first. */
export const alertsByDevice = computed<ReadonlyMap<string, readonly Alert[]>>(() =>
  Map.groupBy(openAlerts.value, ({ device }) => device)
)
