// aedes alone, as its documentation shows a plain MQTT server. Runs where aedes is installed.
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const aedes = await Aedes.createBroker()
const server = createServer(aedes.handle)
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
