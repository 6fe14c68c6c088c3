/** Block headers (RFC 1951, 3.2.3 to 3.2.7): the codes that a block uses. */
import { bitCount, drop, bits as peeked, refill, take } from './bit-reader'
import { Alphabet, buildTable, DISTANCE_BITS, LITERAL_BITS, PRECODE_BITS } from './decode-table'
import { COUNTS, DISTANCE_TABLE, LENGTHS, LITERAL_TABLE, PRECODE_TABLE } from './layout'
import { DISTANCES, END_OF_BLOCK, LITERALS, PRECODE_ORDER, PRECODES } from './symbols'

/**
 * An upper bound on the size of a header in bytes: 17 bits, 19 lengths of 3 bits, and 316 lengths of at most
 * 14 bits.
 */
export const MAX_HEADER: usize = 1024

/** Whether the tables contain the fixed codes, which then need not be built again. */
let fixed = false

export function resetCodes(): void {
  fixed = false
}

export function useFixedCodes(): void {
  if (fixed) return
  memory.fill(LENGTHS, 8, 288)
  memory.fill(LENGTHS + 144, 9, 112)
  memory.fill(LENGTHS + 256, 7, 24)
  buildTable(LENGTHS, 288, LITERAL_BITS, LITERAL_TABLE, Alphabet.literals)
  memory.fill(LENGTHS, 5, 32)
  buildTable(LENGTHS, 32, DISTANCE_BITS, DISTANCE_TABLE, Alphabet.distances)
  fixed = true
}

/** Reads the codes of a block with dynamic codes. @returns whether they are valid */
export function readCodes(): bool {
  fixed = false
  refill()
  const literals = take(5) + 257
  const distances = take(5) + 1
  const precodes = take(4) + 4
  if (literals > LITERALS || distances > DISTANCES) return false
  const lengths = COUNTS + 256
  memory.fill(lengths, 0, PRECODES)
  for (let i: u32 = 0; i < precodes; i++) {
    if (bitCount < 3) refill()
    store<u8>(lengths + <usize>load<u8>(PRECODE_ORDER + i), <u8>take(3))
  }
  if (!buildTable(lengths, PRECODES, PRECODE_BITS, PRECODE_TABLE, Alphabet.precode)) return false
  if (!readLengths(literals + distances)) return false
  if (load<u8>(LENGTHS + END_OF_BLOCK) == 0) return false
  return (
    buildTable(LENGTHS, literals, LITERAL_BITS, LITERAL_TABLE, Alphabet.literals) &&
    buildTable(LENGTHS + literals, distances, DISTANCE_BITS, DISTANCE_TABLE, Alphabet.distances)
  )
}

function readLengths(total: u32): bool {
  let i: u32 = 0
  while (i < total) {
    refill()
    const entry = load<u32>(PRECODE_TABLE + (<usize>(peeked & 127) << 2))
    drop(entry & 0xff)
    const symbol = entry >> 16
    if (symbol < 16) {
      store<u8>(LENGTHS + i, <u8>symbol)
      i++
      continue
    }
    let value: u8 = 0
    let times: u32
    if (symbol == 16) {
      if (i == 0) return false
      value = load<u8>(LENGTHS + i - 1)
      times = 3 + take(2)
    } else {
      times = symbol == 17 ? 3 + take(3) : 11 + take(7)
    }
    if (i + times > total) return false
    memory.fill(LENGTHS + i, value, times)
    i += times
  }
  return true
}
