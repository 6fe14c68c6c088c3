/** Collects matches and literals, and writes them as blocks of the shortest of the three kinds. */
import {
  beginBlock,
  outBits,
  outCount,
  outEnd,
  padToByte,
  put,
  putBytes,
  setWriter,
} from './bit-writer'
import { makeCode, used, usedSymbol } from './huffman-code'
import { CODE_LENGTHS, CODES, FREQUENCIES, LISTED, MAX_SYMBOLS, RUNS, SEQUENCE } from './layout'
import { distanceOf, lengthOf, literalsOf, packMatch } from './parse'
import {
  distanceBase,
  DISTANCES,
  distanceSymbol,
  END_OF_BLOCK,
  FIRST_LENGTH,
  lengthBase,
  LITERALS,
  lengthSymbol,
  PRECODE_ORDER,
  PRECODES,
  reversed,
} from './symbols'

/** The maximum number of literals in a block without matches. */
export const MAX_LITERALS: usize = 32 * 1024
const STORED_MAX: usize = 65535
/** The maximum code lengths. Four codes of literals and an incomplete byte must fit into 64 bits. */
const MAX_LITERAL: u32 = 14
const MAX_DISTANCE: u32 = 15
const MAX_PRECODE: u32 = 7

const DISTANCE_FREQUENCIES: usize = FREQUENCIES + 288 * 4
const PRECODE_FREQUENCIES: usize = FREQUENCIES + 320 * 4
const DISTANCE_CODES: usize = CODES + 288 * 4
const PRECODE_CODES: usize = CODES + 320 * 4
const DISTANCE_LENGTHS: usize = CODE_LENGTHS + 288
const PRECODE_LENGTHS: usize = CODE_LENGTHS + 320

/**
 * The addresses at which the uncompressed bytes of the current block start, and its literals after the last
 * match.
 */
let blockStart: usize = 0
export let literalsStart: usize = 0
let sequenceEnd: usize = SEQUENCE
let symbols: u32 = 0
/** The size of the symbols of the current block in bits, with dynamic codes and with the fixed ones. */
let ownBits: u32 = 0
let fixedBits: u32 = 0

/** Starts to collect at an address of uncompressed bytes. */
export function beginSequence(plain: usize): void {
  blockStart = plain
  literalsStart = plain
  sequenceEnd = SEQUENCE
  symbols = 0
  memory.fill(FREQUENCIES, 0, 320 * 4)
}

/** Adds a match. The bytes since the previous match are literals. */
@inline
export function addMatch(plain: usize, distance: usize, length: usize): void {
  while (plain - literalsStart > MAX_LITERALS) writeSequence(literalsStart + MAX_LITERALS)
  const literals = plain - literalsStart
  countLiterals(literalsStart, plain)
  store<u64>(sequenceEnd, packMatch(literals, distance, length))
  sequenceEnd += 8
  bump(FREQUENCIES, FIRST_LENGTH + lengthSymbol(length))
  bump(DISTANCE_FREQUENCIES, distanceSymbol(distance))
  literalsStart = plain + length
  symbols += <u32>literals + 1
  if (symbols >= MAX_SYMBOLS) writeSequence(literalsStart)
}

/** Writes everything up to an address of uncompressed bytes. */
export function endSequence(plain: usize): void {
  while (plain - literalsStart > MAX_LITERALS) writeSequence(literalsStart + MAX_LITERALS)
  if (plain > blockStart) finishSequence(plain)
}

@inline
function bump(frequencies: usize, symbol: u32): void {
  const address = frequencies + (<usize>symbol << 2)
  store<u32>(address, load<u32>(address) + 1)
}

@inline
function countLiterals(from: usize, to: usize): void {
  for (; from < to; from++) bump(FREQUENCIES, <u32>load<u8>(from))
}

/** Writes a block with everything before an address of uncompressed bytes, and starts another block there. */
function writeSequence(plain: usize): void {
  finishSequence(plain)
  beginSequence(plain)
}

function finishSequence(plain: usize): void {
  countLiterals(literalsStart, plain)
  store<u32>(FREQUENCIES + (END_OF_BLOCK << 2), 1)
  writeBlock(plain)
}

function writeBlock(plain: usize): void {
  ownBits = 0
  fixedBits = 0
  const literals = max(makeCode(FREQUENCIES, LITERALS, MAX_LITERAL, CODE_LENGTHS, CODES), FIRST_LENGTH)
  addLiteralBits()
  const distances = makeCode(
    DISTANCE_FREQUENCIES,
    DISTANCES,
    MAX_DISTANCE,
    DISTANCE_LENGTHS,
    DISTANCE_CODES,
  )
  addDistanceBits()
  const runs = makeRuns(literals, distances)
  makeCode(PRECODE_FREQUENCIES, PRECODES, MAX_PRECODE, PRECODE_LENGTHS, PRECODE_CODES)
  let precodes = PRECODES
  while (precodes > 4 && load<u8>(PRECODE_LENGTHS + precodeAt(precodes - 1)) == 0) precodes--
  const own = headerBits(precodes) + ownBits
  if (storedBits(plain - blockStart) <= min(own, fixedBits)) {
    writeStored(blockStart, plain)
    return
  }
  if (fixedBits <= own) {
    beginBlock(1)
    useFixedCodes()
  } else {
    beginBlock(2)
    putHeader(literals, distances, precodes, runs)
  }
  putSequence(plain - literalsStart)
  putCode(CODES, END_OF_BLOCK)
}

/**
 * Encodes the code lengths as runs (RFC 1951, 3.2.7), and counts their symbols.
 * @returns the number of runs
 */
function makeRuns(literals: u32, distances: u32): u32 {
  memory.fill(PRECODE_FREQUENCIES, 0, PRECODES << 2)
  memory.copy(LISTED, CODE_LENGTHS, literals)
  memory.copy(LISTED + literals, DISTANCE_LENGTHS, distances)
  const end = LISTED + literals + distances
  // Not a length, so that the last run ends here.
  store<u8>(end, 0xff)
  let runs: u32 = 0
  for (let at: usize = LISTED; at < end; ) {
    const length = <u32>load<u8>(at)
    const from = at++
    if (length == 0) while (load<u64>(at) == 0) at += 8
    while (<u32>load<u8>(at) == length) at++
    let left = <u32>(at - from)
    if (length == 0) {
      for (; left >= 11; left -= min<u32>(left, 138)) runs = addRun(runs, 18, min<u32>(left, 138) - 11)
      if (left >= 3) {
        runs = addRun(runs, 17, left - 3)
        left = 0
      }
    } else {
      runs = addRun(runs, length, 0)
      for (left--; left >= 3; left -= min<u32>(left, 6)) runs = addRun(runs, 16, min<u32>(left, 6) - 3)
    }
    for (; left > 0; left--) runs = addRun(runs, length, 0)
  }
  return runs
}

@inline
function addRun(runs: u32, symbol: u32, extra: u32): u32 {
  store<u16>(RUNS + (<usize>runs << 1), <u16>(symbol | (extra << 8)))
  bump(PRECODE_FREQUENCIES, symbol)
  return runs + 1
}

@inline
function precodeAt(i: u32): usize {
  return <usize>load<u8>(PRECODE_ORDER + i)
}

@inline
function extraBitsOfRun(symbol: u32): u32 {
  return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0
}

function headerBits(precodes: u32): u32 {
  let bits: u32 = 14 + 3 * precodes
  for (let i: u32 = 0; i < PRECODES; i++) {
    bits += load<u32>(PRECODE_FREQUENCIES + (i << 2)) * (<u32>load<u8>(PRECODE_LENGTHS + i) + extraBitsOfRun(i))
  }
  return bits
}

@inline
function fixedLength(symbol: u32): u32 {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8
}

/** Adds the bits of literals and lengths for the code that was built last. */
function addLiteralBits(): void {
  for (let i: u32 = 0; i < used; i++) {
    const frequency = <u32>(usedSymbol(i) >> 16)
    const symbol = <u32>usedSymbol(i) & 0xffff
    const extra: u32 = symbol < FIRST_LENGTH ? 0 : lengthBase(symbol - FIRST_LENGTH) & 0xff
    ownBits += frequency * (<u32>load<u8>(CODE_LENGTHS + symbol) + extra)
    fixedBits += frequency * (fixedLength(symbol) + extra)
  }
}

/** Adds the bits of distances for the code that was built last. */
function addDistanceBits(): void {
  for (let i: u32 = 0; i < used; i++) {
    const frequency = <u32>(usedSymbol(i) >> 16)
    const symbol = <u32>usedSymbol(i) & 0xffff
    const extra = distanceBase(symbol) & 0xff
    ownBits += frequency * (<u32>load<u8>(DISTANCE_LENGTHS + symbol) + extra)
    fixedBits += frequency * (5 + extra)
  }
}

/**
 * Returns the size of stored blocks with the given number of bytes, in bits. The padding counts with its
 * mean.
 */
@inline
export function storedBits(plain: usize): u32 {
  return <u32>(plain + 5 * ((plain + STORED_MAX - 1) / STORED_MAX)) * 8 + 4
}

function useFixedCodes(): void {
  for (let i: u32 = 0; i < LITERALS; i++) {
    const code: u32 = i < 144 ? 48 + i : i < 256 ? 400 + i - 144 : i < 280 ? i - 256 : 192 + i - 280
    const length = fixedLength(i)
    store<u32>(CODES + (i << 2), reversed(code, length) | (length << 16))
  }
  for (let i: u32 = 0; i < DISTANCES; i++) store<u32>(DISTANCE_CODES + (i << 2), reversed(i, 5) | (5 << 16))
}

function putHeader(literals: u32, distances: u32, precodes: u32, runs: u32): void {
  put(<u64>((literals - 257) | ((distances - 1) << 5) | ((precodes - 4) << 10)), 14)
  for (let i: u32 = 0; i < precodes; i++) put(<u64>load<u8>(PRECODE_LENGTHS + precodeAt(i)), 3)
  for (let i: u32 = 0; i < runs; i++) {
    const run = <u32>load<u16>(RUNS + (<usize>i << 1))
    putCode(PRECODE_CODES, run & 0xff)
    put(<u64>(run >> 8), extraBitsOfRun(run & 0xff))
  }
}

@inline
function putCode(codes: usize, symbol: u32): void {
  const code = load<u32>(codes + (<usize>symbol << 2))
  put(<u64>(code & 0xffff), <u64>(code >> 16))
}

/** Writes the symbols of the block. @param tailLiterals the number of literals after its last match */
function putSequence(tailLiterals: usize): void {
  let bits = outBits
  let count = outCount
  let to = outEnd
  let plain = blockStart
  for (let at: usize = SEQUENCE; at <= sequenceEnd; at += 8) {
    const match = load<u64>(at)
    let literals = at == sequenceEnd ? tailLiterals : literalsOf(match)
    for (; literals >= 4; literals -= 4) {
      for (let i = 0; i < 4; i++) {
        const code = <u64>load<u32>(CODES + (<usize>load<u8>(plain + i) << 2))
        bits |= (code & 0xffff) << count
        count += code >> 16
      }
      store<u64>(to, bits)
      to += <usize>(count >> 3)
      bits >>= count & 56
      count &= 7
      plain += 4
    }
    for (; literals > 0; literals--) {
      const code = <u64>load<u32>(CODES + (<usize>load<u8>(plain) << 2))
      bits |= (code & 0xffff) << count
      count += code >> 16
      plain++
    }
    store<u64>(to, bits)
    to += <usize>(count >> 3)
    bits >>= count & 56
    count &= 7
    if (at == sequenceEnd) break
    // At most 14 + 5 + 15 + 13 bits.
    const length = lengthOf(match)
    const distance = distanceOf(match)
    const lengthCode = lengthSymbol(length)
    const distanceCode = distanceSymbol(distance)
    let code = <u64>load<u32>(CODES + (<usize>(FIRST_LENGTH + lengthCode) << 2))
    bits |= (code & 0xffff) << count
    count += code >> 16
    let base = <u64>lengthBase(lengthCode)
    bits |= (<u64>length - (base >> 8)) << count
    count += base & 0xff
    code = <u64>load<u32>(DISTANCE_CODES + (<usize>distanceCode << 2))
    bits |= (code & 0xffff) << count
    count += code >> 16
    base = <u64>distanceBase(distanceCode)
    bits |= (<u64>distance - (base >> 8)) << count
    count += base & 0xff
    store<u64>(to, bits)
    to += <usize>(count >> 3)
    bits >>= count & 56
    count &= 7
    plain += length
  }
  setWriter(bits, count, to)
}

/** Writes uncompressed bytes as stored blocks. */
export function writeStored(from: usize, to: usize): void {
  while (from < to) {
    const length = min(to - from, STORED_MAX)
    beginBlock(0)
    padToByte()
    put(<u64>length | (<u64>(~length & 0xffff) << 16), 32)
    putBytes(from, length)
    from += length
  }
}
