/**
 * The remainder of each byte modulo the polynomial of ISO 3309, x^64 + x^4 + x^3 + x + 1: its high 32 bits.
 * The low ones are zero.
 */
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let low = byte
  let high = 0
  for (let bit = 0; bit < 8; bit++) {
    const carry = low & 1
    low = (low >>> 1) | (high << 31)
    high >>>= 1
    if (carry) high ^= 0xd8000000
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
      const remainder = REMAINDERS[(low ^ (bytes[i] ?? 0)) & 0xff] ?? 0
      low = (low >>> 8) | (high << 24)
      high = (high >>> 8) ^ remainder
    }
    this.#low = low
    this.#high = high
  }

  /** Returns the CRC of all bytes so far: eight bytes, most significant byte first. */
  digest(): Buffer {
    const crc = Buffer.allocUnsafe(8)
    crc.writeInt32BE(~this.#high, 0)
    crc.writeInt32BE(~this.#low, 4)
    return crc
  }
}
