// What the WebSocket peers send: messages with the fields and the size of Tocsin's, made at an even rate while one of their
// clients has asked for it.

const TICK_MS = 10

/** A message of an event of device `index`. */
export function notificationOf(index, seq, payload) {
  return {
    cursor: `0123456789ab.${seq}`,
    at: Date.now(),
    kind: 'event',
    device: `publisher-${index}`,
    severity: 'info',
    topic: `bench/device-${index}/temperature`,
    payload,
    source: 'mqtt'
  }
}

export function payloadOf(bytes) {
  const payload = { sent: '0'.repeat(16), celsius: 21.5, pad: '' }
  payload.pad = 'x'.repeat(Math.max(0, bytes - JSON.stringify(payload).length))
  return payload
}

/** Calls `send(seq)` so many times a second, in bunches, while `ready()` says that clients have what they were sent. */
export class Ticker {
  #timer = null
  #seq = 1_000_000_000

  constructor(perSecond, { ready, send }) {
    this.perTick = (perSecond * TICK_MS) / 1000
    this.ready = ready
    this.send = send
  }

  start() {
    this.#timer ??= setInterval(() => {
      if (!this.ready()) return
      for (let count = 0; count < this.perTick; count++) this.send(this.#seq++)
    }, TICK_MS)
  }

  stop() {
    clearInterval(this.#timer)
    this.#timer = null
  }
}
