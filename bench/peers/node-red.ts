// Node-RED with a flow that passes what comes from an MQTT broker to WebSockets, as its nodes `mqtt in` and `websocket out`
// do it.
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../servers/free-port.ts'
import { lineOf, startServer, type ServerProcess } from '../servers/server.ts'
import { temporaryFolder } from '../servers/temporary-folder.ts'
import { installed } from './packaged.ts'
import { peerFile } from './peer.ts'

export interface NodeRedProcess extends ServerProcess {
  httpPort: number
}

/** Starts it beside a broker; resolves when it is connected to that. Throws `PeerMissing` when it can't be installed. */
export async function startNodeRed(mqttPort: number): Promise<NodeRedProcess> {
  const folder = await installed('node-red')
  const userDir = await temporaryFolder('node-red')
  for (const name of ['settings.js', 'flows.json'])
    await copyFile(peerFile(`node-red/${name}`), join(userDir.path, name))
  const httpPort = await freePort()
  const program = join(folder, 'node_modules', 'node-red', 'red.js')
  const server = await startServer([process.execPath, program, '--userDir', userDir.path], {
    HTTP_PORT: String(httpPort),
    MQTT_PORT: String(mqttPort)
  })
  await lineOf(server.child, text => text.includes('Connected to broker'))
  return {
    ...server,
    httpPort,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await userDir[Symbol.asyncDispose]()
    }
  }
}
