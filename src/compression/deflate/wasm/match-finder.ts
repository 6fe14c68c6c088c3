/**
 * Finds matches: the hash of four bytes leads to a chain of the positions with the same hash, the nearest
 * first.
 */
import { CHAINS, HASH_BITS, HEADS, WINDOW } from './layout'
import { MAX_MATCH } from './symbols'

/** The length of the shortest match that is searched for. */
export const MIN_FOUND: usize = 4
/** A match of this length ends the search. */
const NICE: usize = 128

/**
 * Added to an address, yields a position in the stream (modulo 2^32), which stays the same when addresses
 * move.
 */
let base: u32 = 0
/** Everything before this address was inserted, and can be found. */
let inserted: usize = 0
/** The distance of the last match. */
export let foundDistance: usize = 0

export function resetFinder(plain: usize): void {
  memory.fill(HEADS, 0, (<usize>1 << HASH_BITS) * 4)
  base = <u32>WINDOW - <u32>plain
  inserted = plain
}

/** Moves the addresses of uncompressed bytes down. Bytes before `lowest` no longer exist. */
export function moveFinder(move: usize, lowest: usize): void {
  base += <u32>move
  inserted = inserted > lowest + move ? inserted - move : lowest
}

@inline
function hashAt(plain: usize): usize {
  return HEADS + (<usize>((load<u32>(plain) * 0x9e3779b1) >> (32 - HASH_BITS)) << 2)
}

/**
 * Inserts the positions from `from` up to, but not including, `to`. Bytes more than a window back are never
 * inserted, and the last ones before `end` only once it has moved.
 */
export function insertUpTo(from: usize, to: usize, end: usize): void {
  to = min(to, end - (MIN_FOUND - 1))
  let at = max(inserted, from)
  if (to - at > WINDOW && to > at) at = to - WINDOW
  for (; at < to; at++) {
    const head = hashAt(at)
    const position = <u32>at + base
    store<u32>(CHAINS + (<usize>(position & <u32>(WINDOW - 1)) << 2), load<u32>(head))
    store<u32>(head, position)
  }
  inserted = max(inserted, to)
}

/** Skips positions, because they start a repetition of bytes that can be found already. */
@inline
export function skipTo(to: usize): void {
  inserted = max(inserted, to)
}

/**
 * Finds the longest match at the address `plain` that starts at `from` or later, by comparing up to `depth`
 * positions. Everything before the address must have been inserted; then the address is as well.
 * @param limit the end of the available bytes
 * @param beat only longer matches count
 * @returns its length, or 0
 */
@inline
export function findMatch(from: usize, plain: usize, limit: usize, beat: usize, depth: u32): usize {
  const maxLength = min(limit - plain, MAX_MATCH)
  if (maxLength < MIN_FOUND) return 0
  const head = hashAt(plain)
  const current = <u32>plain + base
  const position = load<u32>(head)
  store<u32>(CHAINS + (<usize>(current & <u32>(WINDOW - 1)) << 2), position)
  store<u32>(head, current)
  inserted = plain + 1
  const distance = current - position
  return distance > <u32>min(plain - from, WINDOW) ? 0 : followChain(from, plain, plain + maxLength, beat, depth, distance)
}

/** Follows the chain from the position at a distance. */
function followChain(from: usize, plain: usize, stop: usize, beat: usize, depth: u32, distance: u32): usize {
  const first = load<u32>(plain)
  const current = <u32>plain + base
  const farthest = <u32>min(plain - from, WINDOW)
  let best = max(beat, MIN_FOUND - 1)
  let foundLength: usize = 0
  if (plain + best >= stop) return 0
  // A longer match must contain these bytes, and few other candidates do.
  let last = load<u32>(plain + best - 3)
  while (true) {
    const candidate = plain - <usize>distance
    if (load<u32>(candidate + best - 3) == last && load<u32>(candidate) == first) {
      const length = commonLength(candidate, plain, stop)
      if (length > best) {
        best = length
        foundLength = length
        foundDistance = <usize>distance
        if (length >= NICE || plain + length == stop) break
        last = load<u32>(plain + best - 3)
      }
    }
    if (--depth == 0) break
    const position = load<u32>(CHAINS + (<usize>((current - distance) & <u32>(WINDOW - 1)) << 2))
    const next = current - position
    // An entry of the chain that was overwritten leads to a nearer position.
    if (next <= distance || next > farthest) break
    distance = next
  }
  return foundLength
}

@inline
function commonLength(a: usize, b: usize, stop: usize): usize {
  const start = b
  a += 4
  b += 4
  while (b + 8 <= stop) {
    const differ = load<u64>(a) ^ load<u64>(b)
    if (differ != 0) return b + <usize>(ctz(differ) >> 3) - start
    a += 8
    b += 8
  }
  while (b < stop && load<u8>(a) == load<u8>(b)) {
    a++
    b++
  }
  return b - start
}
