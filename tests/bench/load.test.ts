import { expect, test } from '@jest/globals'
import { deviceOf, eventsOf, OFTEN, SELDOM } from '../../bench/filled/fleet.ts'
import { mqttPublish } from '../../bench/load/mqtt-bytes.ts'
import { jsonPayload, SENT_AT, SENT_DIGITS } from '../../bench/load/payload.ts'
import { clientFrame, MessageSplitter } from '../../bench/load/web-socket.ts'
import { ruleList } from '../../bench/measures/rule-texts.ts'
import { cpuMicroseconds, residentBytes } from '../../bench/process-usage.ts'
import { readYaml } from '../../gateway/alerting/yaml-reader.ts'
import { parseRules } from '../../gateway/rules/parse-rules.ts'

test('a payload is JSON of just the size that is wanted, with room for a time', () => {
  const text = jsonPayload(100)
  expect(text).toHaveLength(100)
  expect(JSON.parse(text)).toMatchObject({ celsius: 21.5 })
  expect(text.slice(SENT_AT, SENT_AT + SENT_DIGITS)).toBe('0'.repeat(SENT_DIGITS))
  const [short, long] = [1, 65_535].map(messageId =>
    mqttPublish({ topic: 'a', payload: text, qos: 1, messageId })
  )
  expect(short?.length).toBe(long?.length)
})

test('messages come out of WebSocket frames however the bytes are cut', () => {
  const texts = ['short', 'm'.repeat(126), 'l'.repeat(70_000)]
  const whole = Buffer.concat(texts.map(serverFrame))
  for (const size of [1, 7, 1000, whole.length]) {
    const found: string[] = []
    const splitter = new MessageSplitter(text => found.push(text))
    for (let at = 0; at < whole.length; at += size) splitter.push(whole.subarray(at, at + size))
    expect(found).toEqual(texts)
  }
})

test('a client’s frame is masked, by zeros', () => {
  expect(clientFrame('hi')).toEqual(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
  expect(clientFrame('x'.repeat(300)).subarray(0, 4)).toEqual(Buffer.from([0x81, 0xfe, 1, 44]))
})

test('a filled log has as many events of a device as are said to be in it', () => {
  const notifications = 250_000
  const counts = new Map<string, number>()
  for (let index = 0; index < notifications; index++) {
    const device = deviceOf(index)
    counts.set(device, (counts.get(device) ?? 0) + 1)
  }
  expect(counts.get(OFTEN)).toBe(eventsOf(OFTEN, notifications))
  expect(counts.get(SELDOM)).toBe(eventsOf(SELDOM, notifications))
  expect(eventsOf(SELDOM, 10_000_000)).toBe(100)
})

test('the rules of measures are rules', () => {
  const topics = Array.from({ length: 7 }, (_, index) => `bench/${index}`)
  const { root, problems } = readYaml(ruleList(topics))
  const rules = root === null ? [] : parseRules(root)
  expect(problems).toEqual([])
  expect(rules).toHaveLength(7)
})

test('CPU time and memory of a process are those that the kernel counts', () => {
  const before = cpuMicroseconds(process.pid)
  const own = process.cpuUsage()
  expect(Math.abs(before - (own.user + own.system))).toBeLessThan(1_000_000)
  expect(residentBytes(process.pid)).toBeGreaterThan(10 * 1024 ** 2)
})

/** What a server sends: unmasked. */
function serverFrame(text: string): Buffer {
  const length = text.length
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x81
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, Buffer.from(text)])
}
