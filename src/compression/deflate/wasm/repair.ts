/**
 * Converts the parse of the source into one that is valid inside a member: matches that reach before the
 * start of the member are replaced by the results of a short search. Refining searches everywhere else as
 * well.
 */
import { addMatch, beginSequence, endSequence } from './block-writer'
import { findMatch, foundDistance, insertUpTo, skipTo } from './match-finder'
import { cursor, cursorPlain, distanceOf, lengthOf, literalsOf, matchesEnd, seek, setCursor } from './parse'
import { MIN_MATCH } from './symbols'

/** The number of positions that are compared to repair a match. */
const REPAIR_DEPTH: u32 = 16
/** A match of the source of this length is kept without a search for a longer one. */
const GOOD: usize = 32

/**
 * Of a match of this length, only the ends are inserted into the finder, because it repeats bytes that can be
 * found already.
 */
const SKIPPED: usize = 24
/**
 * Among the results of a search, only repetitions up to this distance are long and frequent: those of zeros
 * in tar headers.
 */
const RUN: usize = 8

/** The number of positions that are compared everywhere; 0 searches only to repair matches. */
let depth: u32 = 0
export function setDepth(positions: u32): void {
  depth = positions
}

/**
 * Writes the uncompressed bytes from `start` to `end` as blocks of their own.
 * @param member the address at which the uncompressed bytes of the member start
 */
export function writeParsed(member: usize, start: usize, end: usize): void {
  beginSequence(start)
  seek(start)
  let at = cursor
  let from = cursorPlain
  let plain = start
  for (; at < matchesEnd; at += 8) {
    const match = load<u64>(at)
    const matchStart = from + literalsOf(match)
    const matchEnd = matchStart + lengthOf(match)
    if (matchStart >= end) break
    const distance = distanceOf(match)
    if (depth > 0 && plain < matchStart) plain = searchLiterals(member, plain, matchStart, min(matchEnd, end), end)
    plain = takeMatch(member, max(plain, matchStart), min(matchEnd, end), distance, end)
    if (matchEnd > end) break
    from = matchEnd
  }
  setCursor(at, from)
  if (depth > 0 && plain < end) searchAll(member, plain, end, end, depth)
  endSequence(end)
}

/**
 * Uses a match of the source, or the part of it that is not encoded yet.
 * @returns the address at which the parse continues: its end, or beyond
 */
@inline
function takeMatch(member: usize, start: usize, stop: usize, distance: usize, end: usize): usize {
  if (start >= stop) return start
  if (start - distance >= member) {
    const length = stop - start
    if (depth > 0 && length < GOOD) {
      insertUpTo(member, start, end)
      const longer = findMatch(member, start, end, length, depth)
      if (longer > 0) {
        addMatch(start, foundDistance, longer)
        if (longer >= SKIPPED) skipTo(start + longer - 2)
        return start + longer
      }
    }
    if (length >= MIN_MATCH) addMatch(start, distance, length)
    if (depth > 0 && length >= SKIPPED) {
      insertUpTo(member, start + 2, end)
      skipTo(stop - 2)
    }
    return stop
  }
  // Only the bytes that are copied from before the member must be encoded in another way.
  const lostEnd = min(stop, member + distance)
  let plain = searchAll(member, start, lostEnd, end, REPAIR_DEPTH)
  if (plain < stop) {
    if (stop - plain >= MIN_MATCH && plain - distance >= member) addMatch(plain, distance, stop - plain)
    plain = stop
  }
  return plain
}

/**
 * Searches for matches where the source has literals, without shortening a longer match of the source that
 * follows.
 */
function searchLiterals(member: usize, start: usize, matchStart: usize, matchEnd: usize, end: usize): usize {
  let plain = start
  insertUpTo(member, plain, end)
  while (plain < matchStart) {
    let length = findMatch(member, plain, end, 3, depth)
    if (length == 0) {
      plain++
      continue
    }
    if (plain + length > matchStart && length <= matchEnd - matchStart) {
      length = matchStart - plain
      if (length < 4) {
        plain++
        continue
      }
    }
    addMatch(plain, foundDistance, length)
    plain += length
    insertUpTo(member, plain, end)
  }
  return plain
}

/**
 * Searches every position before `stop`, with one step of lazy matching.
 * @returns the end of the last match, or `stop`
 */
function searchAll(member: usize, start: usize, stop: usize, end: usize, positions: u32): usize {
  let plain = start
  /** The match at the previous position, which a longer one at this position replaces. */
  let length: usize = 0
  let distance: usize = 0
  insertUpTo(member, start, end)
  while (true) {
    const longer = plain < stop ? findMatch(member, plain, end, length, positions) : 0
    if (longer == 0 && length == 0) {
      if (plain >= stop) return plain
      plain++
      continue
    }
    const waits = length == 0 && longer < GOOD
    if (longer > 0) {
      length = longer
      distance = foundDistance
      plain++
    }
    if (waits) continue
    plain--
    addMatch(plain, distance, length)
    plain += length
    if (length >= SKIPPED && distance < RUN) skipTo(plain - MIN_MATCH)
    length = 0
    insertUpTo(member, plain, end)
  }
}
