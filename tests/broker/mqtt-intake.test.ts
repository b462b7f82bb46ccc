// Packets that wait their turn.
import { PassThrough } from 'node:stream'
import { expect, test } from '@jest/globals'
import type { ClientPacket } from '../../broker/mqtt/client-packets.ts'
import { Intake } from '../../broker/mqtt/intake.ts'
import { RoomQueue } from '../../broker/mqtt/room-queue.ts'

const room = new RoomQueue({ full: () => false, whenRoom: callback => callback() })

// As many as fit into one message of a WebSocket. If each moved all the others, this would take minutes.
test('a million small packets behind one that waits are worked off in the order they came', () => {
  const packets = 1_000_000
  const handled: ClientPacket[] = []
  const intake: Intake = new Intake(
    new PassThrough(),
    { room, receiveMax: 1 },
    {
      handlePacket(packet) {
        handled.push(packet)
        if (packet.cmd === 'unsubscribe') intake.block()
      }
    }
  )
  intake.open()
  intake.take({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['a'], properties: undefined })
  for (let count = 1; count < packets; count++) intake.take({ cmd: 'pingreq' })
  intake.take({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a'], properties: undefined })
  intake.take({ cmd: 'pingreq' })
  expect(handled.length).toBe(1)
  intake.unblock()
  expect(handled.length).toBe(packets + 1)
  expect(handled.at(-1)).toMatchObject({ cmd: 'unsubscribe', messageId: 2 })
  intake.unblock()
  expect(handled.length).toBe(packets + 2)
})
