// By what people are told of alerts, and how that does.
import { REFRESH_MS, readChannels, readRoutes } from '../../api/alerting.ts'
import { Loading, useLoaded } from '../../components/loading.tsx'
import { Problem } from '../../components/problem.tsx'
import { texts } from '../../texts.ts'
import { ChannelCard } from './channel-card.tsx'
import { Routes } from './routes.tsx'

const words = texts.channels

export function ChannelsView() {
  const { value: channels, error, reload } = useLoaded(readChannels, { everyMs: REFRESH_MS })
  const { value: routes } = useLoaded(readRoutes, { everyMs: REFRESH_MS })
  return (
    <div class="view-stack">
      <h1>{words.title}</h1>
      {error !== null && <Problem error={error} onRetry={reload} />}
      {channels === null && error === null && <Loading />}
      {channels !== null && channels.length === 0 && <p class="card">{words.none}</p>}
      {channels !== null && channels.length > 0 && (
        <ul class="channel-list">
          {channels.map(channel => (
            <ChannelCard key={channel.name} channel={channel} onChanged={reload} />
          ))}
        </ul>
      )}
      {routes !== null && channels !== null && channels.length > 0 && <Routes routes={routes} />}
    </div>
  )
}
