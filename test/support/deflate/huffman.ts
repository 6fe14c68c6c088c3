import type { Random } from './random.ts'

/** A Huffman code: the code length of each symbol, and its code with the first bit lowest. */
export type HuffmanCode = { readonly lengths: readonly number[]; readonly codes: readonly number[] }

/** Returns the canonical code for code lengths (RFC 1951, 3.2.2), which need not be complete. */
export function codeOf(lengths: readonly number[]): HuffmanCode {
  const codes: number[] = lengths.map(() => 0)
  let code = 0
  for (let length = 1; length <= 15; length++) {
    for (const [symbol, symbolLength] of lengths.entries()) {
      if (symbolLength !== length) continue
      codes[symbol] = reversed(code, length)
      code++
    }
    code <<= 1
  }
  return { lengths, codes }
}

function reversed(code: number, length: number): number {
  let bits = 0
  for (let i = 0; i < length; i++) bits |= ((code >> i) & 1) << (length - 1 - i)
  return bits
}

/** Returns code lengths for symbols that form a complete code, from balanced to as skewed as possible. */
export function randomLengths(
  random: Random,
  symbols: readonly number[],
  total: number,
  maxLength: number,
): number[] {
  const lengths: number[] = Array.from({ length: total }, () => 0)
  if (symbols.length === 0) return lengths
  const leaves = [0]
  const skew = random.pick([1, 2, 10])
  while (leaves.length < symbols.length) {
    // A skewed code results from mostly splitting the newest leaf.
    let leaf = random.oneIn(skew) ? random.below(leaves.length) : leaves.length - 1
    if (leaves[leaf] === maxLength) leaf = leaves.findIndex((depth) => depth < maxLength)
    const [depth = 0] = leaves.splice(leaf, 1)
    leaves.push(depth + 1, depth + 1)
  }
  const depths = random.shuffled(leaves)
  for (const [i, symbol] of symbols.entries()) lengths[symbol] = Math.max(1, depths[i] ?? 1)
  return lengths
}

/**
 * Returns code lengths as a faulty compressor would write them: oversubscribed, incomplete, or of a single
 * symbol.
 */
export function corruptLengths(random: Random, lengths: readonly number[], maxLength: number): number[] {
  const used = [...lengths.entries()].filter(([, length]) => length > 0).map(([symbol]) => symbol)
  const corrupt = [...lengths]
  const symbol = used[random.below(used.length)] ?? 0
  const kind = random.below(4)
  if (kind === 0) corrupt[symbol] = 0
  else if (kind === 1) corrupt[symbol] = random.between(1, maxLength)
  else if (kind === 2) corrupt[random.below(corrupt.length)] = random.between(1, maxLength)
  else for (const other of used) corrupt[other] = other === symbol ? random.between(1, maxLength) : 0
  return corrupt
}
