// Where it says what to do about an alert.
import { texts } from '../texts.ts'

export interface RunbookProps {
  url: string
  /** Looks like a button, and says what it is; else it shows the address. */
  button?: boolean
}

/** A link only where it leads to a web page: what a rule says may be anything. */
export function Runbook({ url, button = false }: RunbookProps) {
  if (!/^https?:\/\//i.test(url)) return <span>{url}</span>
  return (
    <a class={button ? 'button' : undefined} href={url} target="_blank" rel="noreferrer noopener">
      {button ? texts.alertPage.runbook : url}
    </a>
  )
}
