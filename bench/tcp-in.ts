// CPU time of the server for each event that comes in over raw TCP and becomes durable: all threads of a server in a
// process of its own, over the log's real files, while devices in this process keep a window of single event frames full.
//   node dist/bench/tcp-in.js [connections] [seconds]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { pack } from 'msgpackr'
import { decodeServerFrame, encodeEvent, encodeHello, FrameReader } from '../broker/tcp/frame-codec.ts'

const connections = Number(process.argv[2] ?? 1000)
const seconds = Number(process.argv[3] ?? 5)
const window = Number(process.argv[4] ?? 64)
const PAYLOAD_BYTES = 100

interface Usage {
  cpuUs: number
  rssBytes: number
  events: number
}

const payload = pack(Buffer.alloc(PAYLOAD_BYTES - 2))

class Device {
  #socket: Socket
  #seq = 0
  #topic: string
  #reader = new FrameReader(65_536)
  acked = 0
  stopped = false
  welcomed = false

  constructor(port: number, id: number) {
    this.#topic = `plant/${id}/temperature`
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', chunk => this.#onData(chunk))
    this.#socket.on('error', error => console.error(error.message))
    this.#socket.write(
      encodeHello({ version: 1, device: `device-${id}`, token: null, keepaliveS: null, stream: 'main' })
    )
  }

  /** Sends single frames until the window is full. */
  fill(): void {
    const frames: Buffer[] = []
    while (!this.stopped && this.#seq < this.acked + window) {
      frames.push(encodeEvent({ seq: ++this.#seq, topic: this.#topic, payload, deviceAt: undefined }))
    }
    if (frames.length > 0) this.#socket.write(Buffer.concat(frames))
  }

  #onData(chunk: Buffer): void {
    this.#reader.push(chunk)
    for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
      if (!(frame instanceof Uint8Array)) throw new Error(frame.message)
      const message = decodeServerFrame(frame, { nestingMax: 8 })
      if (message.type === 'welcome') this.welcomed = true
      else if (message.type === 'ack') {
        this.acked = message.seq
        this.fill()
      } else throw new Error(JSON.stringify(message))
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

const server = fork(new URL('tcp-in-server.js', import.meta.url), { stdio: 'inherit' })
const [port] = (await once(server, 'message')) as [number]
const usage = async (): Promise<Usage> => {
  server.send('usage')
  const [answer] = (await once(server, 'message')) as [Usage]
  return answer
}

const idle = await usage()
const devices: Device[] = []
const connecting = performance.now()
for (let id = 0; id < connections; id++) {
  devices.push(new Device(port, id))
  if (id % 100 === 99) await delay(1)
}
while (!devices.every(device => device.welcomed)) await delay(5)
const connectMs = performance.now() - connecting
await delay(500)
const connected = await usage()
for (const device of devices) device.fill()
await delay(1000) // warm up
const before = await usage()
const started = performance.now()
await delay(seconds * 1000)
const after = await usage()
const elapsedS = (performance.now() - started) / 1000
for (const device of devices) device.stopped = true

const events = after.events - before.events
console.log(`${connections} connections in ${connectMs.toFixed(0)} ms`)
console.log(
  `${((connected.rssBytes - idle.rssBytes) / connections / 1024).toFixed(1)} KiB of memory a connection`
)
console.log(`${Math.round(events / elapsedS)} events/s of ${payload.length} bytes, durable and acknowledged`)
console.log(`${((after.cpuUs - before.cpuUs) / events).toFixed(2)} µs of server CPU an event (all threads)`)
console.log(`${(after.rssBytes / 2 ** 20).toFixed(0)} MiB of memory under load`)
for (const device of devices) device.destroy()
server.send('stop')
await once(server, 'exit')
