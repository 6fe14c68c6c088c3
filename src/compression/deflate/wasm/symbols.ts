/** Length and distance symbols (RFC 1951, 3.2.5), and the order of code lengths (3.2.7). */
import { DISTANCE_BASES, DISTANCE_SYMBOLS, LENGTH_BASES, LENGTH_SYMBOLS } from './layout'

export const LITERALS: u32 = 286
export const DISTANCES: u32 = 30
export const PRECODES: u32 = 19
export const END_OF_BLOCK: u32 = 256
export const FIRST_LENGTH: u32 = 257
export const MIN_MATCH: usize = 3
export const MAX_MATCH: usize = 258

/** The order in which a block header lists the lengths of the precode. */
export const PRECODE_ORDER: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])

export function initSymbols(): void {
  let base: u32 = 3
  for (let symbol: u32 = 0; symbol < 28; symbol++) {
    const extra: u32 = symbol < 8 ? 0 : (symbol - 4) >> 2
    store<u32>(LENGTH_BASES + symbol * 4, (base << 8) | extra)
    for (let i: u32 = 0; i < 1 << extra && base + i < 258; i++) store<u8>(LENGTH_SYMBOLS + base + i, <u8>symbol)
    base += 1 << extra
  }
  // The maximum length has a symbol of its own.
  store<u32>(LENGTH_BASES + 28 * 4, 258 << 8)
  store<u8>(LENGTH_SYMBOLS + 258, 28)
  base = 1
  for (let symbol: u32 = 0; symbol < DISTANCES; symbol++) {
    const extra: u32 = symbol < 4 ? 0 : (symbol - 2) >> 1
    store<u32>(DISTANCE_BASES + symbol * 4, (base << 8) | extra)
    for (let i: u32 = 0; i < 1 << extra; i++) {
      // From 257 on, groups of 128 distances share a symbol.
      const d = <usize>(base + i - 1)
      store<u8>(DISTANCE_SYMBOLS + (d < 256 ? d : 256 + (d >> 7)), <u8>symbol)
    }
    base += 1 << extra
  }
}

@inline
export function lengthSymbol(length: usize): u32 {
  return <u32>load<u8>(LENGTH_SYMBOLS + length)
}

@inline
export function distanceSymbol(distance: usize): u32 {
  const d = distance - 1
  return <u32>load<u8>(DISTANCE_SYMBOLS + (d < 256 ? d : 256 + (d >> 7)))
}

/** Returns base << 8 | extra bits. */
@inline
export function lengthBase(symbol: u32): u32 {
  return load<u32>(LENGTH_BASES + (<usize>symbol << 2))
}

@inline
export function distanceBase(symbol: u32): u32 {
  return load<u32>(DISTANCE_BASES + (<usize>symbol << 2))
}

/** Reverses the low `length` bits of a code: the stream stores Huffman codes with their first bit lowest. */
@inline
export function reversed(code: u32, length: u32): u32 {
  code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555)
  code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333)
  code = ((code & 0x0f0f) << 4) | ((code >> 4) & 0x0f0f)
  code = ((code & 0x00ff) << 8) | ((code >> 8) & 0x00ff)
  return code >> (16 - length)
}
