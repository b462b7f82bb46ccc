// Which devices are looked for, from and to the page's address. Pure.

export const deviceStatuses = ['online', 'offline', 'unknown'] as const
export type DeviceStatus = (typeof deviceStatuses)[number]

export interface DeviceQuery {
  /** Text in the id, in any case. */
  search: string
  /** Null: any. */
  status: DeviceStatus | null
}

/** Reads the address; what makes no sense there is passed by. */
export function deviceQueryOfAddress(parameters: URLSearchParams): DeviceQuery {
  return {
    search: parameters.get('search') ?? '',
    status: deviceStatuses.find(status => status === parameters.get('status')) ?? null
  }
}

/** The path of the page that shows them. */
export function addressOfDeviceQuery({ search, status }: DeviceQuery): string {
  const parameters = new URLSearchParams()
  if (search !== '') parameters.set('search', search)
  if (status !== null) parameters.set('status', status)
  const text = parameters.toString()
  return text === '' ? '/devices' : `/devices?${text}`
}
