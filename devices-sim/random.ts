// Seeded random numbers: sfc32 (Chris Doty-Humphrey's Small Fast Counting generator, 128 bits of state). The same
// seed and stream give the same numbers on every machine.

/** One stream of random numbers. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `stream` names what the numbers are for, so that one use more of one stream leaves the others as they were. */
  constructor(seed: string, index: number, stream: string) {
    const text = `${stream}:${index}:${seed}`
    this.#a = hash(text, 0x9e3779b9)
    this.#b = hash(text, 0x85ebca6b)
    this.#c = hash(text, 0xc2b2ae35)
    for (let round = 0; round < 12; round++) this.#next()
  }

  /** 0 ≤ number < 1 */
  number(): number {
    return this.#next() / 4_294_967_296
  }

  /** `low` ≤ number < `high` */
  between(low: number, high: number): number {
    return low + (high - low) * this.number()
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.number() < probability
  }

  /** Normally distributed around 0 with standard deviation 1, within ±4 (Box and Muller's transform). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.number()))
    const value = radius * Math.cos(2 * Math.PI * this.number())
    return Math.max(-4, Math.min(4, value))
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum >>> 0
  }
}

/** 32 bits from a text: FNV-1a over its code units, then MurmurHash3's finalizer so that near texts lie far apart. */
function hash(text: string, basis: number): number {
  let value = basis
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) | 0
}
