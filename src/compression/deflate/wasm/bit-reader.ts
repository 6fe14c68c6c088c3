/**
 * The compressed input, read bit by bit, lowest bit first. Reads beyond its end return zeros, and {@link
 * overran} detects them.
 */
import { INPUT, INPUT_SIZE } from './layout'

/** The address of the next byte, and that of the end of the input. */
export let next: usize = INPUT
export let end: usize = INPUT
/** Bits that were read ahead from the input, and how many of them are valid. */
export let bits: u64 = 0
export let bitCount: u64 = 0

export function resetInput(): void {
  next = INPUT
  end = INPUT
  bits = 0
  bitCount = 0
}

/** Returns how many bytes may be added. */
export function inputRoom(): usize {
  return INPUT + INPUT_SIZE - end
}

/** Adds bytes that the caller wrote at the end. */
export function inputAdded(length: usize): void {
  end += length
  memory.fill(end, 0, 32)
}

/** Returns the number of whole bytes that were not consumed. */
@inline
export function bytesLeft(): usize {
  return end - next + <usize>(bitCount >> 3)
}

/** Returns the position of the next bit, counted from the start of the region. */
@inline
export function bitPosition(): u64 {
  return (<u64>(next - INPUT) << 3) - bitCount
}

/** Whether bits after the end were consumed. */
@inline
export function overran(): bool {
  return next - <usize>(bitCount >> 3) > end
}

/** Reads ahead until at least 56 bits are available. */
@inline
export function refill(): void {
  bits |= load<u64>(next) << bitCount
  next += <usize>((63 - bitCount) >> 3)
  bitCount |= 56
}

@inline
export function take(count: u64): u32 {
  const value = <u32>(bits & ((<u64>1 << count) - 1))
  drop(count)
  return value
}

@inline
export function drop(count: u64): void {
  bits >>= count
  bitCount -= count
}

/** Skips to the next byte boundary, and unreads the bytes that were read ahead. */
export function alignToByte(): void {
  drop(bitCount & 7)
  next -= <usize>(bitCount >> 3)
  bits = 0
  bitCount = 0
}

/**
 * Clears the bits that were read ahead beyond the valid ones: more input may follow where the reader found
 * zeros.
 */
@inline
export function settleBits(): void {
  bits &= (<u64>1 << bitCount) - 1
}

/** Stores the state that a loop kept in locals. */
@inline
export function setReader(newBits: u64, newCount: u64, newNext: usize): void {
  bits = newBits & ((<u64>1 << newCount) - 1)
  bitCount = newCount
  next = newNext
}

/** Moves the bytes from `start` on to the front of the region. */
export function dropInputBefore(start: usize): void {
  const dropped = start - INPUT
  if (dropped == 0) return
  memory.copy(INPUT, start, end - start + 32)
  next -= dropped
  end -= dropped
}
