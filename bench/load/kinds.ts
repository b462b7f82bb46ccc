// Every load by its name, and what a load's process is asked.
import type { CrowdOptions } from './crowd.ts'
import type { FanOutOptions } from './fan-out.ts'
import type { FeedLatencyOptions } from './feed-latency.ts'
import type { FeedReaderOptions } from './feed-reader.ts'
import type { Counts } from './load.ts'
import type { PublishersOptions } from './publishers.ts'
import type { TcpDevicesOptions } from './tcp-devices.ts'
import type { WebSubscribersOptions } from './web-subscribers.ts'

/** What each load is made from. */
export interface LoadOptions {
  publishers: PublishersOptions
  'tcp-devices': TcpDevicesOptions
  'fan-out': FanOutOptions
  'web-subscribers': WebSubscribersOptions
  'feed-latency': FeedLatencyOptions
  'feed-reader': FeedReaderOptions
  crowd: CrowdOptions
}

export type Call =
  | { call: 'create'; load: keyof LoadOptions; options: unknown }
  | { call: 'start' | 'stop' | 'check' | 'counts' }
export type Request = { id: number } & Call
export type Answer = { id: number; counts: Counts } | { id: number; error: string }
