/**
 * Tables that decode a Huffman code by looking up several bits at once, as in zlib and libdeflate. The
 * entries are:
 *
 * - literal: LITERAL | byte << 16 | bits to consume
 * - length or distance: base << 16 | code length << 8 | bits to consume, extra bits included
 * - code that is longer than the table is wide: EXCEPTION | SECOND | start of a second table << 16 | its
 *   width << 8 | bits to consume
 * - end of block: EXCEPTION | END; invalid code: EXCEPTION | END | INVALID
 */
import { COUNTS, SORTED } from './layout'
import { DISTANCES, END_OF_BLOCK, FIRST_LENGTH, LITERALS, distanceBase, lengthBase, reversed } from './symbols'

export const LITERAL: u32 = 0x80000000
/** Set in entries of the last two kinds. */
export const EXCEPTION: u32 = 0x8000
export const SECOND: u32 = 0x4000
export const END: u32 = 0x2000
export const INVALID: u32 = 0x1000

export const LITERAL_BITS: u32 = 11
export const DISTANCE_BITS: u32 = 8
export const PRECODE_BITS: u32 = 7

export const enum Alphabet {
  literals,
  distances,
  precode,
}

function entryOf(alphabet: Alphabet, symbol: u32): u32 {
  if (alphabet == Alphabet.precode) return symbol << 16
  if (alphabet == Alphabet.distances) {
    if (symbol >= DISTANCES) return EXCEPTION | END | INVALID
    const base = distanceBase(symbol)
    return ((base >> 8) << 16) | (base & 0xff)
  }
  if (symbol < END_OF_BLOCK) return LITERAL | (symbol << 16)
  if (symbol == END_OF_BLOCK) return EXCEPTION | END
  if (symbol >= LITERALS) return EXCEPTION | END | INVALID
  const base = lengthBase(symbol - FIRST_LENGTH)
  return ((base >> 8) << 16) | (base & 0xff)
}

@inline
function withLength(entry: u32, length: u32): u32 {
  return entry & (LITERAL | EXCEPTION) ? entry + length : (entry + length) | (length << 8)
}

/**
 * Builds the table of a code.
 * @param lengths the code length of each symbol (u8), 0 for unused symbols
 * @returns whether the code is valid: not oversubscribed, and complete unless it has no symbol or a single
 *   one with one bit
 */
export function buildTable(lengths: usize, symbols: u32, width: u32, table: usize, alphabet: Alphabet): bool {
  const counts = COUNTS
  const offsets = COUNTS + 64
  memory.fill(counts, 0, 64)
  for (let i: u32 = 0; i < symbols; i++) {
    const address = counts + (<usize>load<u8>(lengths + i) << 2)
    store<u32>(address, load<u32>(address) + 1)
  }
  const used = symbols - load<u32>(counts)
  let left: i32 = 1
  let offset: u32 = 0
  for (let length: u32 = 1; length < 16; length++) {
    const count = load<u32>(counts + (<usize>length << 2))
    left = (left << 1) - <i32>count
    if (left < 0) return false
    store<u32>(offsets + (<usize>length << 2), offset)
    offset += count
  }
  if (left > 0) {
    // The rule of zlib. A block that is accepted may be copied unchanged, so other decoders have to accept it
    // as well.
    if (used != load<u32>(counts + 4) || used > 1 || alphabet == Alphabet.precode) return false
    for (let i: u32 = 0; i < 1 << width; i++) store<u32>(table + (i << 2), EXCEPTION | END | INVALID | 1)
  }
  for (let i: u32 = 0; i < symbols; i++) {
    const length = <usize>load<u8>(lengths + i)
    if (length == 0) continue
    const address = offsets + (length << 2)
    const index = load<u32>(address)
    store<u16>(SORTED + (<usize>index << 1), <u16>i)
    store<u32>(address, index + 1)
  }
  fillTable(width, table, alphabet)
  return true
}

function fillTable(width: u32, table: usize, alphabet: Alphabet): void {
  const counts = COUNTS
  const size: u32 = 1 << width
  let code: u32 = 0
  let sorted: usize = SORTED
  let second: u32 = size
  let secondBits: u32 = 0
  let prefix: u32 = u32.MAX_VALUE
  for (let length: u32 = 1; length < 16; length++) {
    for (let left = load<u32>(counts + (<usize>length << 2)); left > 0; left--) {
      const entry = entryOf(alphabet, <u32>load<u16>(sorted))
      sorted += 2
      const bits = reversed(code, length)
      if (length <= width) {
        repeat(table, withLength(entry, length), bits, 1 << length, size)
      } else {
        if ((bits & (size - 1)) != prefix) {
          prefix = bits & (size - 1)
          if (secondBits > 0) second += 1 << secondBits
          secondBits = secondWidth(length, width, left)
          store<u32>(table + (<usize>prefix << 2), (second << 16) | EXCEPTION | SECOND | (secondBits << 8) | width)
        }
        const short = length - width
        repeat(table + (<usize>second << 2), withLength(entry, short), bits >> width, 1 << short, 1 << secondBits)
      }
      code++
    }
    code <<= 1
  }
}

/**
 * Returns the width of the second table for the codes that share their first `width` bits: the next codes in
 * order, `left` of which have this length.
 */
function secondWidth(length: u32, width: u32, left: u32): u32 {
  let bits = length - width
  let space = left
  while (space < 1 << bits) {
    bits++
    space = (space << 1) + (width + bits < 16 ? load<u32>(COUNTS + (<usize>(width + bits) << 2)) : 0)
  }
  return bits
}

@inline
function repeat(table: usize, entry: u32, first: u32, step: u32, size: u32): void {
  for (let i = first; i < size; i += step) store<u32>(table + (<usize>i << 2), entry)
}
