// The process of a load maker: does what its parent asks, one request after another.
import type { Answer, LoadOptions, Request } from './kinds.ts'
import type { Counts, Load } from './load.ts'

const creators: {
  [Name in keyof LoadOptions]: () => Promise<(options: LoadOptions[Name]) => Promise<Load>>
} = {
  publishers: async () => (await import('./publishers.ts')).createPublishers,
  'tcp-devices': async () => (await import('./tcp-devices.ts')).createTcpDevices,
  'fan-out': async () => (await import('./fan-out.ts')).createFanOut,
  'web-subscribers': async () => (await import('./web-subscribers.ts')).createWebSubscribers,
  'feed-latency': async () => (await import('./feed-latency.ts')).createFeedLatency,
  'feed-reader': async () => (await import('./feed-reader.ts')).createFeedReader,
  crowd: async () => (await import('./crowd.ts')).createCrowd
}

let load: Load | null = null

process.on('message', (request: Request) => {
  answer(request).then(
    counts => process.send?.({ id: request.id, counts } satisfies Answer),
    (error: unknown) =>
      process.send?.({
        id: request.id,
        error: error instanceof Error ? (error.stack ?? '') : String(error)
      } satisfies Answer)
  )
})
process.on('disconnect', () => process.exit(0))

async function answer(request: Request): Promise<Counts> {
  if (request.call === 'create') {
    const create = (await creators[request.load]()) as (options: unknown) => Promise<Load>
    load = await create(request.options)
    return load.counts()
  }
  if (load === null) throw new Error('There is no load yet')
  if (request.call === 'start') await load.start()
  else if (request.call === 'check') await load.check?.()
  else if (request.call === 'stop') await load.stop()
  return load.counts()
}
