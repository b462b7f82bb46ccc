// Writes the data types of MQTT (5.0, section 1.5) into bytes that are large enough. Each function returns where what
// comes next begins. Pure.

/** How many bytes a variable byte integer takes. */
export function variableIntegerBytes(value: number): number {
  if (value < 128) return 1
  if (value < 16_384) return 2
  return value < 2_097_152 ? 3 : 4
}

/** Seven bits a byte, the lowest first; `value` is at most 268,435,455. */
export function writeVariableInteger(bytes: Buffer, value: number, start: number): number {
  let at = start
  let rest = value
  do {
    const low = rest & 0x7f
    rest >>>= 7
    bytes[at++] = rest > 0 ? low | 0x80 : low
  } while (rest > 0)
  return at
}

/** How many bytes a string takes, its length included. */
export function textBytes(text: string): number {
  return 2 + Buffer.byteLength(text)
}

/** A string of at most 65,535 bytes with its length in front. */
export function writeText(bytes: Buffer, text: string, at: number): number {
  const length = bytes.write(text, at + 2)
  bytes.writeUInt16BE(length, at)
  return at + 2 + length
}

/** At most 65,535 bytes with their number in front. */
export function writeBinary(bytes: Buffer, data: Uint8Array, at: number): number {
  bytes.set(data, bytes.writeUInt16BE(data.length, at))
  return at + 2 + data.length
}
