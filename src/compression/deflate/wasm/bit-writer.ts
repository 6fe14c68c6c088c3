/** The compressed output, written bit by bit, lowest bit first. */
import { OUTPUT } from './layout'

/** The address of the next byte, and the bits (fewer than 8 between calls) that do not fill it yet. */
export let outEnd: usize = OUTPUT
export let outBits: u64 = 0
export let outCount: u64 = 0
/**
 * The position of the start of the last block, in bits from the start of the region; -1 before the first
 * block.
 */
let lastBlock: i64 = -1

export function resetOutput(): void {
  outEnd = OUTPUT
  outBits = 0
  outCount = 0
  lastBlock = -1
}

/** Writes up to 56 bits. */
@inline
export function put(value: u64, count: u64): void {
  outBits |= value << outCount
  outCount += count
  flushBits()
}

@inline
function flushBits(): void {
  store<u64>(outEnd, outBits)
  outEnd += <usize>(outCount >> 3)
  outBits >>= outCount & 56
  outCount &= 7
}

/** Stores the state that a loop kept in locals. */
@inline
export function setWriter(newBits: u64, newCount: u64, newEnd: usize): void {
  outBits = newBits
  outCount = newCount
  outEnd = newEnd
}

/** Starts a block of the given kind (RFC 1951, 3.2.3). {@link setFinal} marks the final block later. */
export function beginBlock(kind: u32): void {
  markBlock()
  put(<u64>kind << 1, 3)
}

/** Records that a block starts at the current position. */
@inline
export function markBlock(): void {
  lastBlock = (<i64>(outEnd - OUTPUT) << 3) + <i64>outCount
}

/** Sets or clears the bit that makes the last block the final one. */
export function setFinal(final: bool): void {
  const address = OUTPUT + <usize>(lastBlock >> 3)
  const bit = <u64>1 << (<u64>lastBlock & 7)
  if (address == outEnd) {
    outBits = final ? outBits | bit : outBits & ~bit
  } else {
    const byte = <u64>load<u8>(address)
    store<u8>(address, <u8>(final ? byte | bit : byte & ~bit))
  }
}

export function padToByte(): void {
  if (outCount == 0) return
  store<u8>(outEnd, <u8>outBits)
  outEnd++
  outBits = 0
  outCount = 0
}

export function putBytes(from: usize, length: usize): void {
  memory.copy(outEnd, from, length)
  outEnd += length
}

/** Ends the stream: writes an empty block if there is none, sets the final bit, and pads to a byte. */
export function endStream(): void {
  if (lastBlock < 0) {
    beginBlock(1)
    put(0, 7)
  }
  setFinal(true)
  padToByte()
}

/** The state of the writer that {@link beginTrial} saved. */
let savedEnd: usize = 0
let savedBits: u64 = 0
let savedCount: u64 = 0
let savedBlock: i64 = 0

/** Starts a stream after the open one, to measure its length. */
export function beginTrial(): void {
  savedEnd = outEnd
  savedBits = outBits
  savedCount = outCount
  savedBlock = lastBlock
  setWriter(0, 0, outEnd + 16)
  lastBlock = -1
}

/** Drops the stream of a trial. @returns its length in bytes */
export function endTrial(): usize {
  endStream()
  const length = outEnd - savedEnd - 16
  setWriter(savedBits, savedCount, savedEnd)
  lastBlock = savedBlock
  return length
}

/** Returns the number of bytes that cannot change any more: those before the last block. */
export function settledOutput(): usize {
  return lastBlock < 0 ? 0 : <usize>(lastBlock >> 3)
}

/** Drops bytes at the front, which the caller has read. */
export function dropOutput(length: usize): void {
  if (length == 0) return
  memory.copy(OUTPUT, OUTPUT + length, outEnd - OUTPUT - length)
  outEnd -= length
  lastBlock -= <i64>length << 3
}
