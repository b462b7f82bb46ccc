// Every measure by its name, in the order in which they are run and reported.
import type { Measure } from '../result.ts'
import { measureConnections } from './connections.ts'
import { measureDeliveries, measureFeedFilters, measureFeedOut } from './feed-out.ts'
import { measureGrowth } from './growth.ts'
import { measureGuard } from './guard.ts'
import { measureHistory } from './history.ts'
import { measureQos1In, measureTcpIn } from './ingest.ts'
import { measureLatency } from './latency.ts'
import { measureQos0Out, measureQos1Out } from './mqtt-out.ts'
import { measureResume } from './resume.ts'
import { measureRules } from './rules.ts'
import { measureStart } from './start.ts'

export const measures: Record<string, Measure> = {
  'qos1-in': measureQos1In,
  'tcp-in': measureTcpIn,
  'qos0-out': measureQos0Out,
  'qos1-out': measureQos1Out,
  'feed-out': measureFeedOut,
  'feed-filters': measureFeedFilters,
  deliveries: measureDeliveries,
  latency: measureLatency,
  resume: measureResume,
  history: measureHistory,
  start: measureStart,
  connections: measureConnections,
  guard: measureGuard,
  rules: measureRules,
  growth: measureGrowth
}
