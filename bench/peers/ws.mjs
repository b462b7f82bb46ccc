// A loop over the clients of a ws server, as its documentation shows a broadcast. Runs where ws is installed.
// node ws.mjs PER_SECOND PAYLOAD_BYTES
import WebSocket, { WebSocketServer } from 'ws'
import { notificationOf, payloadOf, Ticker } from './notifications.mjs'

const [perSecond, payloadBytes] = process.argv.slice(2)
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
const payload = payloadOf(Number(payloadBytes))
let last = null

const ticker = new Ticker(Number(perSecond), {
  ready: () => last.bufferedAmount === 0,
  send: seq => {
    const text = JSON.stringify(notificationOf(42, seq, payload))
    for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send(text)
  }
})

server.on('connection', socket => {
  last = socket
  socket.on('message', data => (data.toString() === 'start' ? ticker.start() : ticker.stop()))
})
server.on('listening', () => console.log(`port ${server.address().port}`))
