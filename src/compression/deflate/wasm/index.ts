/**
 * A transcoder: decodes deflate streams into a window of plain bytes and writes members, independent deflate streams
 * of stretches of it, out of the source's own parse. The caller feeds input, uses the plain bytes at every pause, has
 * members written of them, and passes them. One instance has one layer at a time.
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

/** A smaller block is written anew, together with its neighbours. */
const MIN_COPIED: usize = 1024

/** The open member: where its plain bytes begin, and up to where it is written. */
let memberStart: usize = PLAIN
let written: usize = PLAIN
let refining = false

memory.grow((<i32>END + 0xffff >> 16) - memory.size())
initSymbols()

/** Gets ready for another layer. */
export function reset(): void {
  resetDecoder()
  resetParse(PLAIN)
  resetFinder(PLAIN)
  resetOutput()
}

/** Where the caller puts input, at most {@link feedRoom} bytes, before it says how many with {@link feed}. */
export function feedAt(): usize {
  return end
}
export function feedRoom(): usize {
  return min(inputRoom(), MAX_FEED)
}
export function feed(length: usize): void {
  inputAdded(length)
}
/** Bytes that were fed and are not used up. */
export function unread(): usize {
  return bytesLeft()
}

/** A new deflate stream begins with the input that is fed next. */
export function begin(): void {
  beginStream()
}
/** Decodes on; answers a Status. */
export function decode(last: bool): i32 {
  return decodeOn(last)
}

/** The end of the plain bytes, an address; what was appended or decoded last lies before it. */
export function plainTail(): usize {
  return plainEnd
}
/** How many plain bytes may be appended before they are passed. */
export function appendRoom(): usize {
  return PAUSE_PLAIN
}
/** Says that the caller wrote plain bytes at the end, which have no parse. */
export function append(length: usize): void {
  appendPlain(length)
}

/** Lets go of all plain bytes; an open member goes on with what comes. */
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

/** How hard to look for better matches: 0 keeps the source's parse, and else as many places are looked at. */
export function refine(places: u32): void {
  refining = places > 0
  setDepth(places)
}

/** Opens a member whose plain bytes begin at an address. */
export function open(plain: usize): void {
  resetOutput()
  memberStart = plain
  written = plain
}

/** Writes the open member up to a plain address. */
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

/** The next block that can stand in the member as it is, or 0. */
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

/** Where the output begins. */
export function outputAt(): usize {
  return OUTPUT
}
/** Bytes of the output: all of them, or those that the rest of the member cannot change. */
export function outputLength(whole: bool): usize {
  return whole ? outEnd - OUTPUT : settledOutput()
}
/** Says that so many bytes of the output were taken. */
export function outputTaken(length: usize): void {
  dropOutput(length)
}

/** How many bytes the plain bytes since the last pause would take at a depth. Leaves everything as it was. */
export function trial(start: usize, places: u32): usize {
  const savedStart = memberStart
  refine(places)
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
