// A way to a server that can be cut, as a network is.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export class CuttableProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false
  #frozen = false

  private constructor(port: number) {
    this.#server = createServer(socket => {
      if (this.#cut) return void socket.destroy()
      const onward = connect(port, '127.0.0.1')
      for (const each of [socket, onward]) {
        this.#sockets.add(each)
        each.on('error', () => {}) // "close" follows
        each.once('close', () => {
          this.#sockets.delete(each)
          socket.destroy()
          onward.destroy()
        })
      }
      socket.pipe(onward).pipe(socket)
      if (this.#frozen) for (const each of [socket, onward]) each.pause()
    })
  }

  /** Leads to a port of this machine; use with `await using`. */
  static async to(port: number): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Passes nothing on any more, and says so to nobody, as a cable does that is pulled; until `restore`. */
  freeze(): void {
    this.#frozen = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Ends every connection, and refuses new ones until `restore`. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Lets connections pass again; those that were there when it was frozen are gone. */
  restore(): void {
    this.#cut = false
    if (this.#frozen) for (const socket of this.#sockets) socket.destroy()
    this.#frozen = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
