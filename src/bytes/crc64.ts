/** The high halves of a byte's remainders by the polynomial of ISO 3309, x^64 + x^4 + x^3 + x + 1; their low halves are zero. */
const HIGH = Uint32Array.from({ length: 256 }, (_, byte) => {
  let low = byte
  let high = 0
  for (let bit = 0; bit < 8; bit++) {
    const carried = low & 1
    low = (low >>> 1) | (high << 31)
    high >>>= 1
    if (carried) high ^= 0xd8000000
  }
  return high
})

/** The CRC-64 of ISO 3309, as Go's `hash/crc64` computes it with its ISO polynomial. */
export class Crc64 {
  #low = -1
  #high = -1

  add(bytes: Uint8Array): void {
    let low = this.#low
    let high = this.#high
    for (let i = 0; i < bytes.length; i++) {
      const remainder = HIGH[(low ^ (bytes[i] ?? 0)) & 0xff] ?? 0
      low = (low >>> 8) | (high << 24)
      high = (high >>> 8) ^ remainder
    }
    this.#low = low
    this.#high = high
  }

  /** Of all bytes so far: eight bytes, the most significant first. */
  digest(): Buffer {
    const sum = Buffer.allocUnsafe(8)
    sum.writeInt32BE(~this.#high, 0)
    sum.writeInt32BE(~this.#low, 4)
    return sum
  }
}
