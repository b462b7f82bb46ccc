// All tortures, in the order in which they run.
import { churn } from './churn.ts'
import { clock } from './clock.ts'
import { damage } from './damage.ts'
import { disk } from './disk.ts'
import { fsync } from './fsync.ts'
import { kill } from './kill.ts'
import { malformed } from './malformed.ts'
import { network } from './network.ts'
import type { Scenario } from './scenario.ts'
import { slow } from './slow.ts'

export const scenarios: readonly Scenario[] = [
  kill,
  fsync,
  disk,
  damage,
  malformed,
  slow,
  network,
  clock,
  churn
]
