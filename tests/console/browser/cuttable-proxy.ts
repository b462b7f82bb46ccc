// A way to a server that can be cut, as a network is.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export class CuttableProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false

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

  /** Ends every connection, and refuses new ones until `restore`. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  restore(): void {
    this.#cut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
