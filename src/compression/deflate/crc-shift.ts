/** Polynomials over GF(2) modulo that of CRC-32 (RFC 1952, 8), the highest power in the lowest bit. */
const POLYNOMIAL = 0xedb88320

function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let rest = a; rest !== 0; rest <<= 1) {
    if (rest < 0) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1
  }
  return product
}

/** x to the powers of 8, 16, 32 and so on: what 1, 2, 4 bytes shift by. Then it goes round: x to the power of 2^32 is x. */
const POWERS: number[] = [1 << 23]
while (POWERS.length < 32) POWERS.push(multiply(POWERS.at(-1) ?? 0, POWERS.at(-1) ?? 0))

/**
 * What a CRC-32 contributes to that of more bytes, `length` of them: with the CRC-32 of those by exclusive or, it is that
 * of all.
 */
export function shiftCrc32(crc: number, length: number): number {
  let shifted = crc
  for (let rest = length, bit = 0; rest > 0 && shifted !== 0; rest = Math.floor(rest / 2), bit++) {
    if (rest % 2 === 1) shifted = multiply(POWERS[bit % 32] ?? 0, shifted)
  }
  return shifted >>> 0
}
