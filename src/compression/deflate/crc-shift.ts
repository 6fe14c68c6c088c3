/**
 * The polynomial of CRC-32 (RFC 1952, 8) over GF(2), with the highest power in the lowest bit, as all
 * polynomials here.
 */
const POLYNOMIAL = 0xedb88320

/** Multiplies two polynomials modulo that of CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let remaining = a; remaining !== 0; remaining <<= 1) {
    if (remaining < 0) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1
  }
  return product
}

/**
 * x to the powers of 8, 16, 32 and so on: the factors for 1, 2, 4 bytes. They repeat, because x to the power
 * of 2^32 is x.
 */
const POWERS: number[] = [1 << 23]
while (POWERS.length < 32) POWERS.push(multiply(POWERS.at(-1) ?? 0, POWERS.at(-1) ?? 0))

/**
 * Returns what the CRC-32 of some bytes contributes when `length` more bytes follow: combined by exclusive or
 * with the CRC-32 of those, it is the CRC-32 of all bytes.
 */
export function shiftCrc32(crc: number, length: number): number {
  let shifted = crc
  for (let remaining = length, bit = 0; remaining > 0 && shifted !== 0; bit++) {
    if (remaining % 2 === 1) shifted = multiply(POWERS[bit % 32] ?? 0, shifted)
    remaining = Math.floor(remaining / 2)
  }
  return shifted >>> 0
}
