// WebSocket frames from server to client (RFC 6455 section 5.2): whole messages, unmasked. Pure.

const FIN_TEXT = 0x81
const FIN_BINARY = 0x82

/** A text message of these parts of UTF-8, one after the other. */
export function textFrame(parts: readonly Uint8Array[]): Buffer {
  return frameOf(FIN_TEXT, parts)
}

/** A binary message of these parts, one after the other. */
export function binaryFrame(parts: readonly Uint8Array[]): Buffer {
  return frameOf(FIN_BINARY, parts)
}

function frameOf(head: number, parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const begin = length < 126 ? 2 : length < 65_536 ? 4 : 10
  // Memory of its own: a part of a shared pool would keep the pool alive while one slow socket holds it.
  const frame = Buffer.allocUnsafeSlow(begin + length)
  frame[0] = head
  frame[1] = begin === 2 ? length : begin === 4 ? 126 : 127
  if (begin === 4) frame.writeUInt16BE(length, 2)
  if (begin === 10) frame.writeBigUInt64BE(BigInt(length), 2)
  let at = begin
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}
