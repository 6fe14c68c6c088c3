/**
 * Turns the source's parse into one that is valid inside a member: matches that reach before the member are replaced
 * by what a short search finds. Refining searches everywhere else, too.
 */
import { addMatch, beginSequence, endSequence } from './block-writer'
import { findMatch, foundDistance, insertUpTo, skipTo } from './match-finder'
import { cursor, cursorPlain, distanceOf, lengthOf, literalsOf, matchesEnd, seek, setCursor } from './parse'
import { MIN_MATCH } from './symbols'

/** Places looked at in the repair of a match. */
const REPAIR_DEPTH: u32 = 16
/** A match of the source this long is kept without looking for a longer one. */
const GOOD: usize = 32

/** Inside of a match this long nothing is made findable but its ends: it repeats what can be found already. */
const SKIPPED: usize = 24
/** Of what was found by a search, only repetitions this close are long and many: those of zeros in tar headers. */
const RUN: usize = 8

/** Places looked at everywhere; 0: only where a match must be repaired. */
let depth: u32 = 0
export function setDepth(places: u32): void {
  depth = places
}

/**
 * Writes the plain bytes from `start` to `end` as blocks of their own.
 * @param member where the member's plain bytes begin
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
 * Takes over a match of the source, or what is left of it.
 * @returns where the parse goes on: its end, or further
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
  // Only the bytes that come from before the member are lost.
  const lost = min(stop, member + distance)
  let plain = searchAll(member, start, lost, end, REPAIR_DEPTH)
  if (plain < stop) {
    if (stop - plain >= MIN_MATCH && plain - distance >= member) addMatch(plain, distance, stop - plain)
    plain = stop
  }
  return plain
}

/** Searches where the source has literals; a longer match of the source that follows is not spoilt. */
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

/** Searches every position before `stop`, one step lazily. @returns the end of the last match found, or `stop` */
function searchAll(member: usize, start: usize, stop: usize, end: usize, places: u32): usize {
  let plain = start
  /** A match that was found just before, when a longer one here would take its place. */
  let length: usize = 0
  let distance: usize = 0
  insertUpTo(member, start, end)
  while (true) {
    const longer = plain < stop ? findMatch(member, plain, end, length, places) : 0
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
