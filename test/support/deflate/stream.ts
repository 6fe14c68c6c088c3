import { codeOf, corruptLengths, type HuffmanCode, randomLengths } from './huffman.ts'
import { Random } from './random.ts'

const END_OF_BLOCK = 256
const PRECODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const WINDOW = 32 * 1024

/** Base and extra bits of the length symbols (from 257 on) and of the distance symbols (RFC 1951, 3.2.5). */
const LENGTHS = Array.from({ length: 29 }, (_, i): [number, number] => {
  const extra = i < 8 ? 0 : (i - 4) >> 2
  return i === 28 ? [258, 0] : [i < 8 ? i + 3 : 3 + ((4 + (i & 3)) << extra), extra]
})
const DISTANCES = Array.from({ length: 30 }, (_, i): [number, number] => {
  const extra = i < 4 ? 0 : (i - 2) >> 1
  return [i < 4 ? i + 1 : 1 + ((2 + (i & 1)) << extra), extra]
})

const range = (count: number) => Array.from({ length: count }, (_, i) => i)
const FIXED = {
  literals: codeOf(range(288).map((i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
  distances: codeOf(range(32).map(() => 5)),
}

class BitWriter {
  readonly #bytes: number[] = []
  #bits = 0
  #count = 0

  put(value: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#bits |= ((value >>> i) & 1) << this.#count
      if (++this.#count === 8) {
        this.#bytes.push(this.#bits)
        this.#bits = 0
        this.#count = 0
      }
    }
  }

  align(): void {
    if (this.#count > 0) this.put(0, 8 - this.#count)
  }

  finish(): Buffer {
    this.align()
    return Buffer.from(this.#bytes)
  }
}

/**
 * Writes deflate streams that no compressor would write: blocks of any kind, size and order, with arbitrary
 * codes and random matches. The streams of zlib use only a small part of what the format allows.
 */
class StreamWriter {
  readonly #random: Random
  readonly #bits = new BitWriter()
  readonly #isFaulty: boolean
  /** The number of uncompressed bytes so far, which matches may refer to. */
  #uncompressedSize = 0

  constructor(random: Random, isFaulty: boolean) {
    this.#random = random
    this.#isFaulty = isFaulty
  }

  write(blocks: number, symbols: number): Buffer {
    for (let i = 0; i < blocks; i++) {
      this.#bits.put(i === blocks - 1 ? 1 : 0, 1)
      const kind = this.#isFaulty && this.#random.oneIn(60) ? 3 : this.#random.below(3)
      this.#bits.put(kind, 2)
      if (kind === 0) this.#stored(this.#random.below(this.#random.pick([2, 300, 65_536])))
      else if (kind === 1) this.#symbols(FIXED, this.#random.below(symbols))
      else if (kind === 2) this.#symbols(this.#codes(), this.#random.below(symbols))
    }
    return this.#bits.finish()
  }

  #stored(length: number): void {
    this.#bits.align()
    this.#bits.put(length, 16)
    this.#bits.put(this.#isFaulty && this.#random.oneIn(20) ? length : ~length & 0xffff, 16)
    for (let i = 0; i < length; i++) this.#bits.put(this.#random.below(256), 8)
    this.#uncompressedSize += length
  }

  #codes(): { literals: HuffmanCode; distances: HuffmanCode } {
    const random = this.#random
    const choose = (all: readonly number[], count: number) => random.shuffled(all).slice(0, count)
    const literals = [END_OF_BLOCK, ...choose(range(256), random.pick([0, 1, 2, 30, 256]))]
    if (!random.oneIn(4)) literals.push(...choose(range(29), random.pick([1, 5, 29])).map((i) => 257 + i))
    const distances = choose(range(30), random.pick([0, 1, 2, 10, 30]))
    let literalLengths = randomLengths(random, literals, Math.max(...literals) + 1, 15)
    let distanceLengths = randomLengths(random, distances, Math.max(0, ...distances) + 1, 15)
    if (this.#isFaulty && random.oneIn(6)) literalLengths = corruptLengths(random, literalLengths, 15)
    if (this.#isFaulty && random.oneIn(6)) distanceLengths = corruptLengths(random, distanceLengths, 15)
    // More symbols than the format defines.
    if (this.#isFaulty && random.oneIn(30))
      literalLengths = [...literalLengths, ...range(288).map(() => 0)].slice(0, 288)
    if (this.#isFaulty && random.oneIn(30))
      distanceLengths = [...distanceLengths, ...range(32).map(() => 0)].slice(0, 32)
    this.#header(literalLengths, distanceLengths)
    return { literals: codeOf(literalLengths), distances: codeOf(distanceLengths) }
  }

  /**
   * Writes the two codes. Some of their lengths are encoded as runs, which may extend from one code into the
   * other.
   */
  #header(literals: readonly number[], distances: readonly number[]): void {
    const random = this.#random
    const runs = runsOf(random, [...literals, ...distances])
    const used = [...new Set(runs.map(({ symbol }) => symbol))]
    // The precode must have at least two symbols.
    if (used.length < 2) used.push(used[0] === 0 ? 1 : 0)
    let lengths = randomLengths(random, used, 19, 7)
    if (this.#isFaulty && random.oneIn(12)) lengths = corruptLengths(random, lengths, 7)
    const precode = codeOf(lengths)
    const minListed = 19 - [...PRECODE_ORDER].reverse().findIndex((symbol) => (lengths[symbol] ?? 0) > 0)
    const listed = Math.max(4, random.oneIn(3) ? 19 : minListed > 19 ? 4 : minListed)
    this.#bits.put(literals.length - 257, 5)
    this.#bits.put(distances.length - 1, 5)
    this.#bits.put(listed - 4, 4)
    for (const symbol of PRECODE_ORDER.slice(0, listed)) this.#bits.put(lengths[symbol] ?? 0, 3)
    for (const { symbol, extra, bits } of runs) {
      this.#code(precode, symbol)
      this.#bits.put(extra, bits)
    }
  }

  #symbols({ literals, distances }: { literals: HuffmanCode; distances: HuffmanCode }, count: number): void {
    const random = this.#random
    const usableLiterals = usable(literals, 288).filter((symbol) => symbol !== END_OF_BLOCK)
    const literalSymbols = usableLiterals.filter((symbol) => symbol < END_OF_BLOCK)
    const lengthSymbols = usableLiterals.filter((symbol) => symbol > END_OF_BLOCK)
    const distanceSymbols = usable(distances, 32)
    const matches = random.pick([0, 2, 5, 9, 10])
    for (let i = 0; i < count; i++) {
      if (lengthSymbols.length > 0 && distanceSymbols.length > 0 && random.below(10) < matches) {
        this.#match(literals, distances, lengthSymbols, distanceSymbols)
      } else if (literalSymbols.length > 0) {
        this.#code(literals, literalSymbols[random.below(literalSymbols.length)] ?? 0)
        this.#uncompressedSize++
      }
    }
    this.#code(literals, END_OF_BLOCK)
  }

  #match(
    literals: HuffmanCode,
    distances: HuffmanCode,
    lengthSymbols: readonly number[],
    distanceSymbols: readonly number[],
  ): void {
    const random = this.#random
    const distanceSymbol = distanceSymbols[random.below(distanceSymbols.length)] ?? 0
    const lengthSymbol = lengthSymbols[random.below(lengthSymbols.length)] ?? 257
    const [distanceBase, distanceBits] = DISTANCES[distanceSymbol] ?? [1, 0]
    const reach = Math.min(this.#uncompressedSize, WINDOW)
    const isInvalid = this.#isFaulty && random.oneIn(500)
    if (!isInvalid && (reach < distanceBase || distanceSymbol > 29 || lengthSymbol > 285)) return
    const [lengthBase, lengthBits] = LENGTHS[lengthSymbol - 257] ?? [3, 0]
    const maxExtra = 2 ** distanceBits - 1
    const distanceExtra = random.between(0, isInvalid ? maxExtra : Math.min(maxExtra, reach - distanceBase))
    const lengthExtra = random.oneIn(5) ? 2 ** lengthBits - 1 : random.below(2 ** lengthBits)
    this.#code(literals, lengthSymbol)
    this.#bits.put(lengthExtra, lengthBits)
    this.#code(distances, distanceSymbol)
    this.#bits.put(distanceExtra, distanceBits)
    this.#uncompressedSize += lengthBase + lengthExtra
  }

  #code({ codes, lengths }: HuffmanCode, symbol: number): void {
    this.#bits.put(codes[symbol] ?? 0, lengths[symbol] ?? 0)
  }
}

const usable = ({ lengths }: HuffmanCode, total: number) =>
  range(total).filter((symbol) => (lengths[symbol] ?? 0) > 0)

type Run = { symbol: number; extra: number; bits: number }

/** Encodes code lengths, some of them as runs. */
function runsOf(random: Random, lengths: readonly number[]): Run[] {
  const runs: Run[] = []
  const repeating = random.pick([0, 1, 3])
  for (let i = 0; i < lengths.length; ) {
    const length = lengths[i] ?? 0
    let same = 1
    while (lengths[i + same] === length) same++
    const maxRepeat = random.below(3) < repeating ? same : 1
    if (length === 0 && maxRepeat >= 11) {
      const times = random.between(11, Math.min(138, maxRepeat))
      runs.push({ symbol: 18, extra: times - 11, bits: 7 })
      i += times
    } else if (length === 0 && maxRepeat >= 3) {
      const times = random.between(3, Math.min(10, maxRepeat))
      runs.push({ symbol: 17, extra: times - 3, bits: 3 })
      i += times
    } else if (i > 0 && lengths[i - 1] === length && maxRepeat >= 3) {
      const times = random.between(3, Math.min(6, maxRepeat))
      runs.push({ symbol: 16, extra: times - 3, bits: 2 })
      i += times
    } else {
      runs.push({ symbol: length, extra: 0, bits: 0 })
      i++
    }
  }
  return runs
}

/**
 * Returns a deflate stream with blocks of many kinds.
 * @param o.isFaulty whether it may violate the format
 * @param o.isLarge whether blocks have tens of thousands of symbols
 */
export function unusualStream(seed: number, o: { isFaulty?: boolean; isLarge?: boolean } = {}): Buffer {
  const random = new Random(seed)
  const writer = new StreamWriter(random, o.isFaulty ?? false)
  return o.isLarge
    ? writer.write(random.between(1, 4), 40_000)
    : writer.write(random.between(1, 12), random.pick([3, 80, 600]))
}
