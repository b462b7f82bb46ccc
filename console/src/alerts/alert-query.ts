// Which alerts are listed, from and to the page's address. Pure.
import { severities } from '../api/shapes.ts'
import type { Alert, Severity } from '../api/shapes.ts'

export interface AlertQuery {
  /** `open`: firing and acknowledged. */
  show: 'open' | 'resolved'
  severityMin: Severity
  rules: readonly string[]
  devices: readonly string[]
}

export function alertQueryOfAddress(parameters: URLSearchParams): AlertQuery {
  return {
    show: parameters.get('show') === 'resolved' ? 'resolved' : 'open',
    severityMin: severities.find(severity => severity === parameters.get('severityMin')) ?? 'info',
    rules: parameters.getAll('rule').filter(rule => rule !== ''),
    devices: parameters.getAll('device').filter(device => device !== '')
  }
}

/** The address's query for it, without the question mark; what filters nothing is left out. */
export function addressOfAlertQuery({ show, severityMin, rules, devices }: AlertQuery): string {
  const parameters = new URLSearchParams()
  if (show !== 'open') parameters.set('show', show)
  if (severityMin !== 'info') parameters.set('severityMin', severityMin)
  for (const rule of rules) parameters.append('rule', rule)
  for (const device of devices) parameters.append('device', device)
  return parameters.toString()
}

/** Whether an open alert is one of those that are asked for. */
export function alertPasses({ severityMin, rules, devices }: AlertQuery, alert: Alert): boolean {
  return (
    severities.indexOf(alert.severity) >= severities.indexOf(severityMin) &&
    (rules.length === 0 || rules.includes(alert.rule)) &&
    (devices.length === 0 || devices.includes(alert.device))
  )
}
