/**
 * The parse of the source since the last pause: its matches and its blocks. Reusing it makes a match search
 * unnecessary.
 */
import { BLOCK_RECORD, BLOCKS, MATCHES, MAX_BLOCKS, MAX_MATCHES } from './layout'

/** The address at which the next match is stored. */
export let matchesEnd: usize = MATCHES
export const MATCHES_LIMIT: usize = MATCHES + MAX_MATCHES * 8
export let blockCount: usize = 0

/** The first match that does not end before the cursor, and the address at which its literals start. */
export let cursor: usize = MATCHES
export let cursorPlain: usize = 0
/** The first block that does not start before the cursor. */
export let cursorBlock: usize = 0

/** Drops the parse. The literals before the next match start at an address of uncompressed bytes. */
export function resetParse(plain: usize): void {
  matchesEnd = MATCHES
  blockCount = 0
  resetParseCursor(plain)
}

/** Moves the cursor back to the first match. */
export function resetParseCursor(plain: usize): void {
  cursor = MATCHES
  cursorPlain = plain
  cursorBlock = 0
}

/** Packs a match: the literals before it (32 bits), its distance (16 bits) and its length (16 bits). */
@inline
export function packMatch(literals: usize, distance: usize, length: usize): u64 {
  return <u64>literals | (<u64>distance << 32) | (<u64>length << 48)
}
@inline
export function literalsOf(match: u64): usize {
  return <usize>(match & 0xffffffff)
}
@inline
export function distanceOf(match: u64): usize {
  return <usize>(match >> 32) & 0xffff
}
@inline
export function lengthOf(match: u64): usize {
  return <usize>(match >> 48)
}

@inline
export function setMatchesEnd(end: usize): void {
  matchesEnd = end
}

/** Moves the cursor to the first match that ends after an address of uncompressed bytes. */
export function seek(plain: usize): void {
  let at = cursor
  let from = cursorPlain
  while (at < matchesEnd) {
    const match = load<u64>(at)
    const to = from + literalsOf(match) + lengthOf(match)
    if (to > plain) break
    from = to
    at += 8
  }
  setCursor(at, from)
}

@inline
export function setCursor(match: usize, plain: usize): void {
  cursor = match
  cursorPlain = plain
}

@inline
export function setCursorBlock(block: usize): void {
  cursorBlock = block
}

/** Whether there is no capacity for another block. */
@inline
export function blocksFull(): bool {
  return blockCount == MAX_BLOCKS
}

/**
 * Records a block that could be copied.
 * @param reach the lowest address that its matches copy from
 */
export function addBlock(firstBit: u64, endBit: u64, start: usize, end: usize, reach: usize, stored: bool): void {
  const block = BLOCKS + blockCount * BLOCK_RECORD
  store<u64>(block, firstBit)
  store<u32>(block, <u32>(endBit - firstBit), 8)
  store<u32>(block, <u32>start, 12)
  store<u32>(block, <u32>end, 16)
  store<u32>(block, <u32>reach, 20)
  store<u32>(block, stored ? 1 : 0, 24)
  blockCount++
}

@inline
export function blockAt(i: usize): usize {
  return BLOCKS + i * BLOCK_RECORD
}
/** Returns the position of its first bit, counted from the start of the input region. */
@inline
export function firstBitOf(block: usize): u64 {
  return load<u64>(block)
}
@inline
export function bitsOf(block: usize): u64 {
  return <u64>load<u32>(block, 8)
}
@inline
export function startOf(block: usize): usize {
  return <usize>load<u32>(block, 12)
}
@inline
export function endOf(block: usize): usize {
  return <usize>load<u32>(block, 16)
}
@inline
export function reachOf(block: usize): usize {
  return <usize>load<u32>(block, 20)
}
@inline
export function isStored(block: usize): bool {
  return load<u32>(block, 24) != 0
}
