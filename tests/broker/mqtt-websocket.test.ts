// MQTT over WebSocket: what it may cost.
import { once } from 'node:events'
import { createServer } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { generate, type Packet } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { eventually } from '../helpers/eventually.ts'
import { temporaryFolder } from '../helpers/temporary-folder.ts'
import { startMqtt, type Harness } from './mqtt-harness.ts'
import { connectPacket } from './raw-mqtt.ts'

async function upgrading(mqtt: Harness): Promise<AsyncDisposable & { port: number }> {
  const http = createServer().listen(0, '127.0.0.1')
  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined)
    mqtt.server.handleUpgrade(request, socket, head)
  })
  await once(http, 'listening')
  return {
    port: (http.address() as AddressInfo).port,
    [Symbol.asyncDispose]() {
      http.close()
      return Promise.resolve()
    }
  }
}

test('thousands of answers at a time are few frames of a WebSocket', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path })
  await using http = await upgrading(mqtt)
  const socket = new WebSocket(`ws://127.0.0.1:${http.port}/mqtt`, ['mqtt'])
  let frames = 0
  let bytes = 0
  socket.on('message', (data: Buffer) => {
    frames++
    bytes += data.length
  })
  await once(socket, 'open')
  socket.send(generate(connectPacket('c') as Packet))
  await eventually(() => bytes === 4)
  const pings = 100_000
  socket.send(Buffer.alloc(2 * pings, Buffer.of(0xc0, 0)))
  await eventually(() => bytes === 4 + 2 * pings, { what: 'all answers' })
  expect(frames).toBeLessThan(100)
  socket.terminate()
})

test('a refused upgrade leaves no connection, though the client does not close its side', async () => {
  await using folder = await temporaryFolder()
  await using mqtt = await startMqtt({ dir: folder.path })
  await using http = await upgrading(mqtt)
  const socket = net.connect({ port: http.port, host: '127.0.0.1', allowHalfOpen: true })
  let closed = false
  let answer = ''
  socket.on('data', data => (answer += data.toString()))
  socket.on('error', () => undefined)
  socket.on('close', () => (closed = true))
  const headers = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  socket.write(`GET /mqtt HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
  await once(socket, 'end')
  expect(answer).toContain('400 Bad Request')
  // Whether the other side is gone shows when something is sent to it.
  await eventually(() => {
    if (!closed) socket.write('x')
    return closed
  })
})
