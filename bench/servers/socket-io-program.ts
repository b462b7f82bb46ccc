// The process of the Socket.IO server.
// node dist/bench/servers/socket-io-program.js FOLDER PER_SECOND PAYLOAD_BYTES
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { jsonPayload } from '../load/payload.ts'

/** What is used of Socket.IO. */
interface SocketIo {
  Server: new (
    http: unknown,
    options: object
  ) => {
    on(event: 'connection', listener: (socket: Socket) => void): void
    emit(event: string, message: object): void
  }
}

interface Socket {
  on(event: 'start' | 'stop', listener: () => void): void
  conn: { writeBuffer: unknown[]; transport: { socket?: { bufferedAmount: number } } }
}

const TICK_MS = 10
const [folder = '', perSecond = '', payloadBytes = ''] = process.argv.slice(2)
const { Server } = createRequire(join(folder, 'package.json'))('socket.io') as SocketIo
const http = createServer()
const io = new Server(http, {
  transports: ['websocket'],
  pingInterval: 300_000, // the load maker answers no pings
  perMessageDeflate: false,
  serveClient: false
})
const payload = JSON.parse(jsonPayload(Number(payloadBytes))) as object
const perTick = (Number(perSecond) * TICK_MS) / 1000
let ticking: NodeJS.Timeout | null = null
let last: Socket | null = null
let seq = 1_000_000_000

io.on('connection', socket => {
  last = socket
  socket.on('start', () => (ticking ??= setInterval(broadcast, TICK_MS)))
  socket.on('stop', () => {
    if (ticking !== null) clearInterval(ticking)
    ticking = null
  })
})
http.listen(0, '127.0.0.1', () => {
  const address = http.address()
  console.log(`port ${typeof address === 'object' ? address?.port : ''}`)
})

/** What is due in a tick, one message at a time, unless the last client has not had all of the one before. */
function broadcast(): void {
  if (last === null || last.conn.writeBuffer.length > 0) return
  if ((last.conn.transport.socket?.bufferedAmount ?? 0) > 0) return
  for (let count = 0; count < perTick; count++) {
    io.emit('notification', {
      cursor: `0123456789ab.${seq++}`,
      at: Date.now(),
      kind: 'event',
      device: 'publisher-42',
      severity: 'info',
      topic: 'bench/device-42/temperature',
      payload,
      source: 'mqtt'
    })
  }
}
