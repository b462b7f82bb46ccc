// A real SMTP server on a free port of loopback, with STARTTLS and authentication, which keeps what it got.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { SMTPServerOptions } from 'smtp-server'
import type { MailServer } from '../../../gateway/delivery/channel-context.ts'
import { certificate, certificateKey } from './certificate.ts'

export interface ReceivedMail {
  from: string
  to: string[]
  user: string
  /** Whether it came over TLS. */
  secure: boolean
  text: string
}

export interface RunningMailServer extends AsyncDisposable {
  mails: ReceivedMail[]
  /** How it is reached. */
  settings: MailServer
}

/** An answer other than that it went well. */
export function answer(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}

/** Starts a server; use with `await using`. User `tocsin`, password `hunter2-hunter2`. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<RunningMailServer> {
  const mails: ReceivedMail[] = []
  const server = new SMTPServer({
    key: certificateKey,
    cert: certificate,
    logger: false,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, callback) =>
      username === 'tocsin' && password === 'hunter2-hunter2'
        ? callback(null, { user: username })
        : callback(answer(535, `no, ${password} is wrong`)),
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: String(session.user ?? ''),
          secure: session.secure,
          text: Buffer.concat(chunks).toString('utf8')
        })
        callback(null, 'queued')
      })
    },
    ...options
  })
  server.on('error', () => {}) // a client that goes away is a case of the tests
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    mails,
    settings: {
      host: '127.0.0.1',
      port,
      secure: false,
      requireTls: true,
      user: 'tocsin',
      password: 'hunter2-hunter2',
      ca: certificate,
      from: 'Tocsin <tocsin@example.org>'
    },
    [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve()))
  }
}
