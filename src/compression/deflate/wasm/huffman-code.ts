/** Builds length-limited Huffman codes from frequencies. */
import { COUNTS, FOUND, PARENTS, PLACES, SORTED, WEIGHTS } from './layout'
import { reversed } from './symbols'

/** Symbols with this frequency or more are few, and are sorted by comparison; the others by counting. */
const FREQUENT: u32 = 64

/** The number of symbols of the code that was built last. */
export let used: u32 = 0

/** Returns one of them, starting with the rarest: symbol | frequency << 16. */
@inline
export function usedSymbol(i: u32): u64 {
  return load<u64>(SORTED + (<usize>i << 3))
}

/**
 * Builds the code of an alphabet: for each symbol the code length (u8), 0 for unused ones, and for used ones
 * `bits | length << 16` (u32). Decoders expect at least two symbols in a code, so unused ones are added if
 * necessary.
 * @param frequencies u32 each; zeros follow them up to a multiple of eight, and also the lengths
 * @returns how many symbols have to be listed: up to the last one with a code
 */
export function makeCode(frequencies: usize, symbols: u32, longest: u32, lengths: usize, codes: usize): u32 {
  memory.fill(lengths, 0, symbols)
  sort(frequencies, symbols)
  if (used < 2) {
    const only = used == 0 ? 0 : <u32>load<u16>(SORTED)
    store<u8>(lengths + only, 1)
    store<u8>(lengths + (only == 0 ? 1 : 0), 1)
    memory.fill(COUNTS, 0, 64)
    count(1, 2)
  } else {
    countLengths(longest)
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

/** Sorts the symbols that occur by frequency, and then by number. */
function sort(frequencies: usize, symbols: u32): void {
  let found: usize = FOUND
  for (let i: u32 = 0; i < symbols; i++) {
    const at = frequencies + (<usize>i << 2)
    // Small blocks do not use most symbols.
    if ((i & 3) == 0 && !v128.any_true(v128.load(at))) {
      i += 3
      continue
    }
    const frequency = load<u32>(at)
    store<u64>(found, (<u64>frequency << 16) | <u64>i)
    found += frequency == 0 ? 0 : 8
  }
  used = <u32>(found - FOUND) >> 3
  memory.fill(PLACES, 0, (FREQUENT + 2) << 2)
  for (let at: usize = FOUND; at < found; at += 8) {
    const next = placeOf(at) + 4
    store<u32>(next, load<u32>(next) + 1)
  }
  let before: u32 = 0
  for (let at: usize = PLACES; at <= PLACES + (FREQUENT << 2); at += 4) {
    before += load<u32>(at)
    store<u32>(at, before)
  }
  for (let at: usize = FOUND; at < found; at += 8) {
    const place = placeOf(at)
    const to = load<u32>(place)
    store<u32>(place, to + 1)
    store<u64>(SORTED + (<usize>to << 3), load<u64>(at))
  }
  sortFrequent(SORTED + (<usize>before << 3))
}

/**
 * Returns the address of the counter that holds the next index in the order for symbols of this frequency.
 */
@inline
function placeOf(found: usize): usize {
  return PLACES + (<usize>min(load<u64>(found) >> 16, FREQUENT) << 2)
}

/** Sorts the symbols from `first` to the end by Shell sort. */
function sortFrequent(first: usize): void {
  const stop = SORTED + (<usize>used << 3)
  let step: usize = 8
  while (first + step * 3 + 8 < stop) step = step * 3 + 8
  for (; step > 0; step = ((step >> 3) / 3) << 3) {
    for (let at = first + step; at < stop; at += 8) {
      const key = load<u64>(at)
      let to = at
      while (to >= first + step) {
        const before = load<u64>(to - step)
        if (before <= key) break
        store<u64>(to, before)
        to -= step
      }
      store<u64>(to, key)
    }
  }
}

/** Counts the codes of each length in an optimal code. Lengths beyond the longest count as the longest. */
function countLengths(longest: u32): void {
  // Leaves are sorted and inner nodes are created in order of weight, so that two queues yield the lightest
  // pair. The parents of both are stored: those of leaves first, then those of inner nodes.
  let leaf: u32 = 0
  let inner: u32 = 0
  const last = used - 1
  for (let created: u32 = 0; created < last; created++) {
    let weight: u32 = 0
    for (let i = 0; i < 2; i++) {
      const leafWeight: u64 = leaf < used ? load<u64>(SORTED + (<usize>leaf << 3)) >> 16 : u64.MAX_VALUE
      const innerWeight: u64 = inner < created ? <u64>load<u32>(WEIGHTS + (<usize>inner << 2)) : u64.MAX_VALUE
      if (leafWeight <= innerWeight) {
        weight += <u32>leafWeight
        store<u16>(PARENTS + (<usize>leaf << 1), <u16>created)
        leaf++
      } else {
        weight += <u32>innerWeight
        store<u16>(PARENTS + (<usize>(used + inner) << 1), <u16>created)
        inner++
      }
    }
    store<u32>(WEIGHTS + (<usize>created << 2), weight)
  }
  // From here on, WEIGHTS contains depths.
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

/**
 * Shortening long codes oversubscribes the code: other codes are lengthened until it fits, and shortened
 * until it is complete.
 */
function limitLengths(longest: u32): void {
  const full: u32 = 1 << longest
  let occupied: u32 = 0
  for (let length: u32 = 1; length <= longest; length++) {
    occupied += load<u32>(COUNTS + (<usize>length << 2)) << (longest - length)
  }
  while (occupied > full) {
    let length = longest - 1
    while (load<u32>(COUNTS + (<usize>length << 2)) == 0) length--
    count(length, -1)
    count(length + 1, 1)
    occupied -= 1 << (longest - length - 1)
  }
  while (occupied < full) {
    let length = longest
    while (load<u32>(COUNTS + (<usize>length << 2)) == 0 || occupied + (<u32>1 << (longest - length)) > full) length--
    count(length, -1)
    count(length - 1, 1)
    occupied += 1 << (longest - length)
  }
}

/** Assigns canonical codes by their lengths (RFC 1951, 3.2.2). */
function canonical(symbols: u32, longest: u32, lengths: usize, codes: usize): u32 {
  const nextCode = COUNTS + 128
  let code: u32 = 0
  for (let length: u32 = 1; length <= longest; length++) {
    code = (code + load<u32>(COUNTS + (<usize>(length - 1) << 2))) << 1
    store<u32>(nextCode + (<usize>length << 2), code)
  }
  let listed: u32 = 0
  for (let i: u32 = 0; i < symbols; i++) {
    if ((i & 7) == 0 && load<u64>(lengths + i) == 0) {
      i += 7
      continue
    }
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
