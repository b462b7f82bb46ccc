// Socket.IO as its documentation shows it: a broadcast for each message, or, with rooms, a message to the room of the
// message's device. Runs where Socket.IO is installed.
// node socket-io.mjs PER_SECOND PAYLOAD_BYTES all|rooms SUBSCRIBERS
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { notificationOf, payloadOf, Ticker } from './notifications.mjs'

const [perSecond, payloadBytes, audience, subscribers] = process.argv.slice(2)
const http = createServer()
const io = new Server(http, {
  transports: ['websocket'],
  pingInterval: 300_000, // the load maker answers no pings
  serveClient: false
})
const payload = payloadOf(Number(payloadBytes))
let last = null

const ticker = new Ticker(Number(perSecond), {
  ready: () => last.conn.writeBuffer.length === 0 && (last.conn.transport.socket?.bufferedAmount ?? 0) === 0,
  send: seq => {
    const device = seq % Number(subscribers)
    const message = notificationOf(device, seq, payload)
    if (audience === 'rooms') io.to(message.device).emit('notification', message)
    else io.emit('notification', message)
  }
})

io.on('connection', socket => {
  last = socket
  socket.on('join', room => socket.join(room))
  socket.on('start', () => ticker.start())
  socket.on('stop', () => ticker.stop())
})
http.listen(0, '127.0.0.1', () => console.log(`port ${http.address().port}`))
