// A process that appends as fast as it can and tells its parent what was acknowledged, until it is killed.
// Each line on standard output is "<device> <highest acknowledged sequence>".
import { writeSync } from 'node:fs'
import { event } from '../contract/store-place.ts'
import { openIn } from './sqlite-place.ts'

const [dir = '', deviceCount = '5'] = process.argv.slice(2)
const { log } = await openIn(dir, { maintenanceMs: 100, waitingBytesMax: 200_000 })

function run(device: string): void {
  let seq = log.streamPosition(device, 'main')
  const fill = () => {
    for (let turn = 0; turn < 20; turn++) {
      const mine = ++seq
      const draft = event(`${device} ${mine}`, { device })
      log.append(draft, error => !error && writeSync(1, `${device} ${mine}\n`), {
        stream: { name: 'main', seq: mine }
      })
    }
    log.whenRoom(() => setImmediate(fill))
  }
  fill()
}

for (let index = 0; index < Number(deviceCount); index++) run(`meter-${index}`)
