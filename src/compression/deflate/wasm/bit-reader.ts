/** The compressed input, read bit by bit, lowest bit first. Bytes after its end read as zeros, and are told apart. */
import { INPUT, INPUT_SIZE } from './layout'

/** Where the next byte is taken from, and where the input ends. */
export let next: usize = INPUT
export let end: usize = INPUT
/** Bits taken from the input and not yet used, and how many of them count. */
export let bits: u64 = 0
export let bitCount: u64 = 0

export function resetInput(): void {
  next = INPUT
  end = INPUT
  bits = 0
  bitCount = 0
}

/** How many bytes may be added now. */
export function inputRoom(): usize {
  return INPUT + INPUT_SIZE - end
}

/** Says that the caller wrote bytes at the end. */
export function inputAdded(length: usize): void {
  end += length
  memory.fill(end, 0, 32)
}

/** Whole bytes that are not used up. */
@inline
export function bytesLeft(): usize {
  return end - next + <usize>(bitCount >> 3)
}

/** The place of the next unused bit, counted from the start of the region. */
@inline
export function bitPosition(): u64 {
  return (<u64>(next - INPUT) << 3) - bitCount
}

/** Whether bits were used that lie behind the end. */
@inline
export function overran(): bool {
  return next - <usize>(bitCount >> 3) > end
}

/** Makes sure that 56 bits are at hand. */
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

/** Goes to the next whole byte and gives back the bytes that were taken ahead. */
export function alignToByte(): void {
  drop(bitCount & 7)
  next -= <usize>(bitCount >> 3)
  bits = 0
  bitCount = 0
}

/** Forgets what was taken ahead of the bits that count: more input may follow where zeros stand now. */
@inline
export function settleBits(): void {
  bits &= (<u64>1 << bitCount) - 1
}

/** Stores what a loop kept in locals. */
@inline
export function setReader(newBits: u64, newCount: u64, newNext: usize): void {
  bits = newBits & ((<u64>1 << newCount) - 1)
  bitCount = newCount
  next = newNext
}

/** Moves the bytes from `keep` on to the front of the region. */
export function dropInputBefore(keep: usize): void {
  const gone = keep - INPUT
  if (gone == 0) return
  memory.copy(INPUT, keep, end - keep + 32)
  next -= gone
  end -= gone
}
