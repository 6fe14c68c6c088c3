/**
 * A transcoder that decodes deflate streams into a window of uncompressed bytes, and writes members, which
 * are independent deflate streams of extents of the window, by reusing the parse of the source. The caller
 * feeds input, and at every pause reads the uncompressed bytes, writes members with them, and discards them.
 * An instance works on one layer at a time.
 */
import { bytesLeft, end, inputAdded, inputRoom } from './bit-reader'
import { beginTrial, dropOutput, endStream, endTrial, outEnd, resetOutput, settledOutput } from './bit-writer'
import { appendPlain, beginStream, decode as decodeOn, passPlain, plainEnd, resetDecoder } from './decoder'
import { END, MAX_FEED, MOVE_PLAIN, OUTPUT, PAUSE_PLAIN, PLAIN, WINDOW } from './layout'
import { moveFinder, resetFinder } from './match-finder'
import { copyBlock } from './bit-copy'
import {
  blockAt,
  blockCount,
  cursorBlock,
  endOf,
  reachOf,
  resetParse,
  resetParseCursor,
  seek,
  setCursorBlock,
  startOf,
} from './parse'
import { setDepth, writeParsed } from './repair'
import { initSymbols } from './symbols'

/** Smaller blocks are not copied, but encoded again together with their neighbours. */
const MIN_COPIED: usize = 1024

/** The addresses at which the uncompressed bytes of the open member start, and up to which it was written. */
let memberStart: usize = PLAIN
let written: usize = PLAIN
let refining = false

memory.grow((<i32>END + 0xffff >> 16) - memory.size())
initSymbols()

/** Resets the instance for another layer. */
export function reset(): void {
  resetDecoder()
  resetParse(PLAIN)
  resetFinder(PLAIN)
  resetOutput()
}

/**
 * Returns the address to which the caller writes input, at most {@link feedRoom} bytes, before it calls
 * {@link feed}.
 */
export function feedAt(): usize {
  return end
}
/** Returns how many bytes may be fed. */
export function feedRoom(): usize {
  return min(inputRoom(), MAX_FEED)
}
/** Adds input that the caller wrote. */
export function feed(length: usize): void {
  inputAdded(length)
}
/** Returns the number of bytes that were fed and not consumed. */
export function unread(): usize {
  return bytesLeft()
}

/** Starts a deflate stream, whose input is fed next. */
export function begin(): void {
  beginStream()
}
/** Continues to decode. @returns a Status */
export function decode(last: bool): i32 {
  return decodeOn(last)
}

/** Returns the address of the end of the uncompressed bytes. */
export function plainTail(): usize {
  return plainEnd
}
/** Returns how many uncompressed bytes may be appended before they are discarded. */
export function appendRoom(): usize {
  return PAUSE_PLAIN
}
/** Appends uncompressed bytes without a parse, which the caller wrote at the end. */
export function append(length: usize): void {
  appendPlain(length)
}

/** Discards all uncompressed bytes. An open member continues with those that follow. */
export function pass(): void {
  let move: usize = 0
  if (plainEnd - PLAIN >= MOVE_PLAIN) {
    move = plainEnd - WINDOW - PLAIN
    memory.copy(PLAIN, PLAIN + move, WINDOW)
  }
  memberStart = memberStart > PLAIN + move ? memberStart - move : PLAIN
  passPlain(move)
  moveFinder(move, PLAIN)
  resetParse(plainEnd)
  written = plainEnd
}

/** Sets how many positions are compared in the search for better matches; 0 keeps the parse of the source. */
export function refine(positions: u32): void {
  refining = positions > 0
  setDepth(positions)
}

/** Opens a member whose uncompressed bytes start at an address. */
export function open(plain: usize): void {
  resetOutput()
  memberStart = plain
  written = plain
}

/** Writes the open member up to an address of uncompressed bytes. */
export function write(to: usize): void {
  while (written < to) {
    const block: usize = refining ? 0 : copyable(to)
    const stop = block == 0 ? to : startOf(block)
    if (stop > written) writeParsed(memberStart, written, stop)
    written = stop
    if (block == 0) return
    copyBlock(block)
    written = endOf(block)
    seek(written)
  }
}

/** Returns the next block that can be copied into the member unchanged, or 0. */
function copyable(to: usize): usize {
  let i = cursorBlock
  let found: usize = 0
  for (; i < blockCount; i++) {
    const block = blockAt(i)
    if (endOf(block) > to) break
    const start = startOf(block)
    if (start < written || reachOf(block) < memberStart || endOf(block) - start < MIN_COPIED) continue
    found = block
    i++
    break
  }
  setCursorBlock(i)
  return found
}

/** Ends the member. */
export function close(): void {
  endStream()
}

/** Returns the address of the output. */
export function outputAt(): usize {
  return OUTPUT
}
/** Returns the length of the output: all of it, or the part that the rest of the member cannot change. */
export function outputLength(complete: bool): usize {
  return complete ? outEnd - OUTPUT : settledOutput()
}
/** Drops bytes at the start of the output, which the caller has read. */
export function outputTaken(length: usize): void {
  dropOutput(length)
}

/**
 * Returns the compressed size of the uncompressed bytes since the last pause at a search depth. Restores the
 * state, except the depth.
 */
export function trial(start: usize, positions: u32): usize {
  const savedStart = memberStart
  refine(positions)
  beginTrial()
  memberStart = start
  written = start
  write(plainEnd)
  const length = endTrial()
  memberStart = savedStart
  written = start
  resetParseCursor(start)
  resetFinder(start)
  return length
}
