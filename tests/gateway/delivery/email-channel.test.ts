import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { messageIdOf } from '../../../gateway/delivery/channels/email.ts'
import type { Outcome } from '../../../gateway/delivery/notice.ts'
import { eventually } from '../../helpers/eventually.ts'
import { answer, startMailServer } from './mail-server.ts'
import { noticeAlert, never, openOne, sampleNotice } from './sample-notice.ts'
import type { ContextOverrides } from './sample-notice.ts'

const yaml = '- {name: boss, email: {to: [boss@example.org], cc: desk@example.org}}'

async function sendOnce(mail: ContextOverrides['mail'] & object, timeoutMs = 10_000): Promise<Outcome> {
  using channel = await openOne(yaml, { mail, settings: { timeoutMs } })
  return await channel.send(sampleNotice(), never)
}

describe('an e-mail channel', () => {
  test('sends over STARTTLS, authenticated, to all its addresses', async () => {
    await using server = await startMailServer()
    using channel = await openOne(yaml, { mail: server.settings, publicUrl: 'https://tocsin.example' })
    expect(channel).toMatchObject({ type: 'email', target: 'boss@example.org, desk@example.org' })
    expect(await channel.send(sampleNotice(), never)).toEqual({
      outcome: 'sent',
      detail: 'The mail server answered 250 queued'
    })
    const [mail] = server.mails
    expect(mail).toMatchObject({
      from: 'tocsin@example.org',
      to: ['boss@example.org', 'desk@example.org'],
      user: 'tocsin',
      secure: true
    })
    const text = mail?.text ?? ''
    expect(text).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    expect(text).toMatch(/^X-Priority: 1 \(Highest\)\r$/m)
    expect(text).toMatch(/^Message-ID: <tocsin\.n-1@example\.org>\r$/m)
    expect(text).toMatch(/^Subject: =\?UTF-8\?Q\?=5Bcritical=5D_freezer-7/m)
    expect(text.replaceAll('=\r\n', '')).toContain('Link: https://tocsin.example/alerts/a7')
  })

  test('keeps its Message-ID in each attempt, and says no hurry but for what is critical', async () => {
    await using server = await startMailServer()
    using channel = await openOne(yaml, { mail: server.settings })
    const notice = sampleNotice({ alerts: [noticeAlert({ severity: 'major', title: 'plain' })] })
    await channel.send(notice, never)
    await channel.send(notice, never)
    const ids = server.mails.map(({ text }) => /^Message-ID: (.*)\r$/m.exec(text)?.[1])
    expect(ids).toEqual(['<tocsin.n-1@example.org>', '<tocsin.n-1@example.org>'])
    expect(server.mails[0]?.text).not.toContain('X-Priority')
    expect(messageIdOf('a/b c', 'x@y.example')).toMatch(/^<tocsin\.[0-9a-f]{32}@y\.example>$/)
  })

  test('lets no title become a header or another recipient', async () => {
    await using server = await startMailServer()
    using channel = await openOne(yaml, { mail: server.settings })
    const title = 'x\r\nBcc: spy@example.org\r\n\r\n.\r\nMAIL FROM:<a@b>'
    await channel.send(sampleNotice({ alerts: [noticeAlert({ title })] }), never)
    expect(server.mails).toHaveLength(1)
    expect(server.mails[0]?.to).toEqual(['boss@example.org', 'desk@example.org'])
    expect(server.mails[0]?.text).not.toMatch(/^Bcc:/m)
  })

  test.each<[number, string]>([
    [421, 'failed'],
    [451, 'failed'],
    [452, 'failed'],
    [550, 'refused'],
    [554, 'refused']
  ])('%d from the server: it is %s', async (code, outcome) => {
    await using server = await startMailServer({
      onMailFrom: (_address, _session, callback) => callback(answer(code, 'because'))
    })
    const result = await sendOnce(server.settings)
    expect(result).toEqual({ outcome, detail: `The mail server answered ${code} because` })
  })

  test('is sent when somebody gets it, and says who does not', async () => {
    await using server = await startMailServer({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('desk') ? answer(550, 'nobody here') : null)
    })
    expect(await sendOnce(server.settings)).toEqual({
      outcome: 'sent',
      detail: 'For 1 of 2 it was refused: desk@example.org. The mail server answered 250 queued'
    })
  })

  test('is refused with a wrong password, which is not shown though the server repeats it', async () => {
    await using server = await startMailServer()
    const result = await sendOnce({ ...server.settings, password: 'letmein-letmein' })
    expect(result).toEqual({ outcome: 'refused', detail: 'The mail server answered 535 no, … is wrong' })
  })

  test('sends neither mail nor password to a server that offers no TLS or has an unknown certificate', async () => {
    let asked = 0
    const onAuth = (): void => void asked++
    await using plain = await startMailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'], onAuth })
    expect(await sendOnce(plain.settings)).toMatchObject({ outcome: expect.stringMatching(/failed|refused/) })
    await using unknown = await startMailServer({ onAuth })
    expect(await sendOnce({ ...unknown.settings, ca: null })).toMatchObject({ outcome: 'failed' })
    expect(asked).toBe(0)
    expect([...plain.mails, ...unknown.mails]).toEqual([])
  })

  test('fails in time at a server that says nothing, resets, or is not there', async () => {
    const sockets = new Set<Socket>()
    const server = createServer(socket => void sockets.add(socket.on('error', () => {})))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const mail = { host: '127.0.0.1', port, from: 'tocsin@example.org' }
    expect(await sendOnce(mail, 100)).toMatchObject({ outcome: 'failed' })

    using channel = await openOne(yaml, { mail })
    const stop = new AbortController()
    const stopped = channel.send(sampleNotice(), stop.signal)
    await eventually(() => sockets.size === 2, { what: 'the connection' })
    stop.abort()
    expect(await stopped).toEqual({
      outcome: 'failed',
      detail: 'The attempt was stopped before it was answered.'
    })
    const reset = channel.send(sampleNotice(), never)
    await eventually(() => sockets.size === 3, { what: 'the connection' })
    for (const socket of sockets) socket.resetAndDestroy()
    expect(await reset).toMatchObject({ outcome: 'failed' })
    server.close()
    await once(server, 'close')
    expect(await channel.send(sampleNotice(), never)).toEqual({
      outcome: 'failed',
      detail: 'The connection to the mail server failed.'
    })
  })
})
