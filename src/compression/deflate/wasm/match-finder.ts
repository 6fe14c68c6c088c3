/** Finds matches: a hash of four bytes leads to the places that began alike, the nearest first. */
import { CHAINS, HASH_BITS, HEADS, WINDOW } from './layout'
import { MAX_MATCH } from './symbols'

/** A match of fewer bytes is not looked for. */
export const MIN_FOUND: usize = 4
/** A match this long is good enough. */
const NICE: usize = 128

/** Places are told as positions in the stream (modulo 2^32), which stay the same when plain addresses move. */
let base: u32 = 0
/** Everything before this plain address can be found. */
let inserted: usize = 0
/** The distance of the match that was found last. */
export let foundDistance: usize = 0

export function resetFinder(plain: usize): void {
  memory.fill(HEADS, 0, (<usize>1 << HASH_BITS) * 4)
  base = <u32>WINDOW - <u32>plain
  inserted = plain
}

/** Plain addresses moved down; what lies before `lowest` is gone. */
export function moveFinder(move: usize, lowest: usize): void {
  base += <u32>move
  inserted = inserted > lowest + move ? inserted - move : lowest
}

@inline
function hashAt(plain: usize): usize {
  return HEADS + (<usize>((load<u32>(plain) * 0x9e3779b1) >> (32 - HASH_BITS)) << 2)
}

/**
 * Makes everything from `from` to `to` (not included) findable; bytes further back than a window never are, and the
 * last ones before `end` only once it moved on.
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

/** Leaves places out: they begin a repetition of what can be found already. */
@inline
export function skipTo(to: usize): void {
  inserted = max(inserted, to)
}

/**
 * The longest match at a plain address that begins at `from` or later, looking at `depth` places. Everything before it
 * has to be findable; then it is, too.
 * @param limit where the match must end; no more plain bytes are known
 * @param beat only longer matches count
 * @returns its length, or 0
 */
@inline
export function findMatch(from: usize, plain: usize, limit: usize, beat: usize, depth: u32): usize {
  const most = min(limit - plain, MAX_MATCH)
  if (most < MIN_FOUND) return 0
  const head = hashAt(plain)
  const here = <u32>plain + base
  const position = load<u32>(head)
  store<u32>(CHAINS + (<usize>(here & <u32>(WINDOW - 1)) << 2), position)
  store<u32>(head, here)
  inserted = plain + 1
  const distance = here - position
  return distance > <u32>min(plain - from, WINDOW) ? 0 : followChain(from, plain, plain + most, beat, depth, distance)
}

/** Follows the chain from a place that lies at a distance. */
function followChain(from: usize, plain: usize, stop: usize, beat: usize, depth: u32, distance: u32): usize {
  const first = load<u32>(plain)
  const here = <u32>plain + base
  const farthest = <u32>min(plain - from, WINDOW)
  let best = max(beat, MIN_FOUND - 1)
  let found: usize = 0
  if (plain + best >= stop) return 0
  // A longer match has these bytes, too, and few others do.
  let last = load<u32>(plain + best - 3)
  while (true) {
    const candidate = plain - <usize>distance
    if (load<u32>(candidate + best - 3) == last && load<u32>(candidate) == first) {
      const length = commonLength(candidate, plain, stop)
      if (length > best) {
        best = length
        found = length
        foundDistance = <usize>distance
        if (length >= NICE || plain + length == stop) break
        last = load<u32>(plain + best - 3)
      }
    }
    if (--depth == 0) break
    const position = load<u32>(CHAINS + (<usize>((here - distance) & <u32>(WINDOW - 1)) << 2))
    const next = here - position
    // A place that was overwritten leads forward again.
    if (next <= distance || next > farthest) break
    distance = next
  }
  return found
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
