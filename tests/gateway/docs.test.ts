// The protocol's document lists what the code can say, and nothing else.
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { closeCodes, errorCodes } from '../../gateway/errors.ts'
import { LAST_PAYLOAD_MAX } from '../../gateway/http/device-json.ts'
import { IDEMPOTENCY } from '../../gateway/http/publish.ts'

// Tables are padded by the formatter.
const text = (await readFile('docs/protocol/feed.md', 'utf8')).replaceAll(/ +/g, ' ')
const section = (title: string) => text.split(new RegExp(`^#+ ${title}$`, 'm'))[1]?.split(/^#+ /m)[0] ?? ''

describe('docs/protocol/feed.md', () => {
  test('lists every error code with its HTTP status', () => {
    const rows = [...section('Errors').matchAll(/^\| `([\w-]+)` \| (\d*) ?\|/gm)]
    expect(rows.map(([, code]) => code).toSorted()).toEqual(Object.keys(errorCodes).toSorted())
    const statuses: Record<string, { status: number }> = errorCodes
    for (const [, code = '', status] of rows)
      if (status) expect({ code, status: Number(status) }).toEqual({ code, status: statuses[code]?.status })
  })

  test('lists every close code, and reconnecting agrees with its range', () => {
    const rows = [...section('The end').matchAll(/^\| (\d{4}) \| `([\w-]+)`.*\| (yes|no)/gm)]
    expect(Object.fromEntries(rows.map(([, code, reason]) => [reason, Number(code)]))).toEqual(closeCodes)
    for (const [, code, , again] of rows)
      expect({ code, again }).toEqual({ code, again: Number(code) < 4500 ? 'yes' : 'no' })
  })

  test('states what payload a device is shown with', () => {
    expect(section('Devices and tokens')).toContain(`A payload of more than ${LAST_PAYLOAD_MAX} bytes`)
  })

  test('states the limits of idempotency keys', () => {
    const { windowMs, keysMax, eventsMax } = IDEMPOTENCY
    const said = section('Publishing events').replaceAll(/\s+/g, ' ')
    expect(said).toContain(`${windowMs / 60_000} minutes`)
    expect(said).toContain(
      `${keysMax.toLocaleString('en')} of them and ${eventsMax.toLocaleString('en')} events`
    )
  })
})
