/** Makes length-limited Huffman codes out of frequencies. */
import { COUNTS, PARENTS, SORTED, WEIGHTS } from './layout'
import { reversed } from './symbols'

/**
 * The code of an alphabet: for each symbol its length (u8) and `bits | length << 16` (u32), 0 for unused ones.
 * Decoders want at least two symbols in a code, so that unused ones are added.
 * @param frequencies u32 each
 * @returns how many symbols have to be listed: up to the last that has a code
 */
export function makeCode(frequencies: usize, symbols: u32, longest: u32, lengths: usize, codes: usize): u32 {
  memory.fill(lengths, 0, symbols)
  memory.fill(codes, 0, symbols << 2)
  let used: u32 = 0
  for (let i: u32 = 0; i < symbols; i++) {
    const frequency = load<u32>(frequencies + (<usize>i << 2))
    if (frequency == 0) continue
    store<u64>(SORTED + (<usize>used << 3), (<u64>frequency << 16) | <u64>i)
    used++
  }
  if (used < 2) {
    const only = used == 0 ? 0 : <u32>load<u16>(SORTED)
    store<u8>(lengths + only, 1)
    store<u8>(lengths + (only == 0 ? 1 : 0), 1)
  } else {
    sort(used)
    countLengths(used, longest)
    limitLengths(longest)
    // The rarest symbols get the longest codes.
    let place: usize = SORTED
    for (let length = longest; length >= 1; length--) {
      for (let left = load<u32>(COUNTS + (<usize>length << 2)); left > 0; left--) {
        store<u8>(lengths + <usize>load<u16>(place), <u8>length)
        place += 8
      }
    }
  }
  return canonical(symbols, longest, lengths, codes)
}

/** Shell sort: the keys are few, and many alphabets are nearly in order. */
function sort(count: u32): void {
  let gap: u32 = 1
  while (gap * 3 + 1 < count) gap = gap * 3 + 1
  for (; gap > 0; gap = gap / 3) {
    const step = <usize>gap << 3
    const stop = SORTED + (<usize>count << 3)
    for (let at: usize = SORTED + step; at < stop; at += 8) {
      const key = load<u64>(at)
      let to = at
      while (to >= SORTED + step) {
        const before = load<u64>(to - step)
        if (before <= key) break
        store<u64>(to, before)
        to -= step
      }
      store<u64>(to, key)
    }
  }
}

/** How many codes of each length an optimal code has; lengths beyond the longest count as that. */
function countLengths(used: u32, longest: u32): void {
  // Leaves come sorted and inner nodes are made in order, so that two queues give the lightest pair. Parents are
  // kept of both: leaves first, then inner nodes.
  let leaf: u32 = 0
  let inner: u32 = 0
  const last = used - 1
  for (let made: u32 = 0; made < last; made++) {
    let weight: u32 = 0
    for (let i = 0; i < 2; i++) {
      const ofLeaf: u64 = leaf < used ? load<u64>(SORTED + (<usize>leaf << 3)) >> 16 : u64.MAX_VALUE
      const ofInner: u64 = inner < made ? <u64>load<u32>(WEIGHTS + (<usize>inner << 2)) : u64.MAX_VALUE
      if (ofLeaf <= ofInner) {
        weight += <u32>ofLeaf
        store<u16>(PARENTS + (<usize>leaf << 1), <u16>made)
        leaf++
      } else {
        weight += <u32>ofInner
        store<u16>(PARENTS + (<usize>(used + inner) << 1), <u16>made)
        inner++
      }
    }
    store<u32>(WEIGHTS + (<usize>made << 2), weight)
  }
  // From here on the weights' places hold depths.
  memory.fill(COUNTS, 0, 64)
  store<u32>(WEIGHTS + (<usize>(last - 1) << 2), 0)
  for (let i = <i32>last - 2; i >= 0; i--) {
    const parent = <usize>load<u16>(PARENTS + (<usize>(used + i) << 1))
    store<u32>(WEIGHTS + (<usize>i << 2), load<u32>(WEIGHTS + (parent << 2)) + 1)
  }
  for (let i: u32 = 0; i < used; i++) {
    const parent = <usize>load<u16>(PARENTS + (<usize>i << 1))
    count(min(load<u32>(WEIGHTS + (parent << 2)) + 1, longest), 1)
  }
}

@inline
function count(length: u32, change: i32): void {
  const at = COUNTS + (<usize>length << 2)
  store<u32>(at, load<u32>(at) + change)
}

/** Cutting long codes short makes too many of them: others get longer until they fit, and shorter to fill the rest. */
function limitLengths(longest: u32): void {
  const full: u32 = 1 << longest
  let taken: u32 = 0
  for (let length: u32 = 1; length <= longest; length++) {
    taken += load<u32>(COUNTS + (<usize>length << 2)) << (longest - length)
  }
  while (taken > full) {
    let length = longest - 1
    while (load<u32>(COUNTS + (<usize>length << 2)) == 0) length--
    count(length, -1)
    count(length + 1, 1)
    taken -= 1 << (longest - length - 1)
  }
  while (taken < full) {
    let length = longest
    while (load<u32>(COUNTS + (<usize>length << 2)) == 0 || taken + (<u32>1 << (longest - length)) > full) length--
    count(length, -1)
    count(length - 1, 1)
    taken += 1 << (longest - length)
  }
}

/** Codes by their lengths alone (RFC 1951, 3.2.2). */
function canonical(symbols: u32, longest: u32, lengths: usize, codes: usize): u32 {
  memory.fill(COUNTS, 0, 64)
  for (let i: u32 = 0; i < symbols; i++) {
    const length = <u32>load<u8>(lengths + i)
    if (length > 0) count(length, 1)
  }
  const nextCode = COUNTS + 128
  let code: u32 = 0
  for (let length: u32 = 1; length <= longest; length++) {
    code = (code + load<u32>(COUNTS + (<usize>(length - 1) << 2))) << 1
    store<u32>(nextCode + (<usize>length << 2), code)
  }
  let listed: u32 = 0
  for (let i: u32 = 0; i < symbols; i++) {
    const length = <u32>load<u8>(lengths + i)
    if (length == 0) continue
    const at = nextCode + (<usize>length << 2)
    const own = load<u32>(at)
    store<u32>(at, own + 1)
    store<u32>(codes + (<usize>i << 2), reversed(own, length) | (length << 16))
    listed = i + 1
  }
  return listed
}
