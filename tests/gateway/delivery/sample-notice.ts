// A notice to tell, and what channels are opened with.
import type { ChannelContext } from '../../../gateway/delivery/channel-context.ts'
import type { Channel, Notice, NoticeAlert } from '../../../gateway/delivery/notice.ts'
import { openChannel } from '../../../gateway/delivery/open-channel.ts'
import { parseChannels } from '../../../gateway/delivery/parse-channels.ts'
import type { ChannelPlan } from '../../../gateway/delivery/parse-channels.ts'
import { readYaml } from '../../../gateway/alerting/yaml-reader.ts'
import type { Problem } from '../../../gateway/alerting/yaml-reader.ts'

export function noticeAlert(overrides: Partial<NoticeAlert> = {}): NoticeAlert {
  return {
    id: 'a7',
    rule: 'freezer-too-warm',
    key: 'freezer-7',
    device: 'freezer-7',
    eventTopic: 'site/a/freezer/7/temperature',
    labels: { site: 'a' },
    state: 'firing',
    severity: 'critical',
    title: 'freezer-7 is at −3 °C',
    detail: 'It should be below −18 °C.',
    runbook: 'https://wiki.example/freezers',
    count: 3,
    firstAt: Date.UTC(2026, 0, 31, 12, 0, 0),
    lastAt: Date.UTC(2026, 0, 31, 12, 5, 0),
    resolvedAt: 0,
    ...overrides
  }
}

export function sampleNotice(overrides: Partial<Notice> = {}): Notice {
  return {
    id: 'n-1',
    reason: 'alert',
    status: 'firing',
    route: 'route-1',
    group: { rule: 'freezer-too-warm' },
    alerts: [noticeAlert()],
    truncated: 0,
    at: Date.UTC(2026, 0, 31, 12, 5, 30),
    ...overrides
  }
}

export function channelsOf(yaml: string): { plans: ChannelPlan[]; problems: Problem[] } {
  const { root, problems } = readYaml(yaml)
  return { plans: root === null ? [] : parseChannels(root), problems }
}

export interface ContextOverrides extends Partial<Omit<ChannelContext, 'settings' | 'mail' | 'secret'>> {
  settings?: Partial<ChannelContext['settings']>
  mail?: Partial<ChannelContext['mail']>
  secrets?: Record<string, string>
}

export function channelContext({
  settings,
  mail,
  secrets = {},
  ...others
}: ContextOverrides = {}): ChannelContext {
  return {
    secret: async name => {
      const secret = secrets[name]
      if (secret === undefined) throw new Error(`the secret in ${name} can't be read: no such file`)
      return secret
    },
    settings: { timeoutMs: 10_000, answerBytesMax: 4096, allowPrivateAddresses: true, ...settings },
    mail: {
      host: '',
      port: 587,
      secure: false,
      requireTls: true,
      user: '',
      password: null,
      ca: null,
      from: '',
      ...mail
    },
    publicUrl: '',
    publish: async () => {},
    version: '1.2.3',
    ...others
  }
}

/** Opens the one channel of a list in YAML; use with `using`. */
export async function openOne(yaml: string, overrides: ContextOverrides = {}): Promise<Channel & Disposable> {
  const { plans, problems } = channelsOf(yaml)
  const [plan] = plans
  if (plan === undefined || problems.length > 0)
    throw new Error(problems.map(({ message }) => message).join('\n'))
  const channel = await openChannel(plan, channelContext(overrides))
  return Object.assign(channel, { [Symbol.dispose]: () => channel.close() })
}

export const never = new AbortController().signal
