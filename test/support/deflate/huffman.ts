import type { Random } from './random.ts'

/** A Huffman code: how long the code of each symbol is, and the code, its first bit lowest. */
export type Code = { readonly lengths: readonly number[]; readonly codes: readonly number[] }

/** The code that lengths stand for (RFC 1951, 3.2.2), whether they fit together or not. */
export function codeOf(lengths: readonly number[]): Code {
  const codes: number[] = lengths.map(() => 0)
  let code = 0
  for (let length = 1; length <= 15; length++) {
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue
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

/** Lengths for symbols that fill a code of at most so many bits, anything from even to as lopsided as can be. */
export function randomLengths(
  random: Random,
  symbols: readonly number[],
  total: number,
  most: number,
): number[] {
  const lengths: number[] = Array.from({ length: total }, () => 0)
  if (symbols.length === 0) return lengths
  const leaves = [0]
  const lopsided = random.of([1, 2, 10])
  while (leaves.length < symbols.length) {
    // Splits the newest leaf as a rule where the code is to be lopsided.
    let at = random.oneIn(lopsided) ? random.below(leaves.length) : leaves.length - 1
    if (leaves[at] === most) at = leaves.findIndex((depth) => depth < most)
    const [depth = 0] = leaves.splice(at, 1)
    leaves.push(depth + 1, depth + 1)
  }
  const depths = random.shuffled(leaves)
  for (const [i, symbol] of symbols.entries()) lengths[symbol] = Math.max(1, depths[i] ?? 1)
  return lengths
}

/** What a compressor with a fault would write: lengths that are too many, too few, or of nothing. */
export function spoiled(random: Random, lengths: readonly number[], most: number): number[] {
  const used = [...lengths.entries()].filter(([, length]) => length > 0).map(([symbol]) => symbol)
  const odd = [...lengths]
  const symbol = used[random.below(used.length)] ?? 0
  const kind = random.below(4)
  if (kind === 0) odd[symbol] = 0
  else if (kind === 1) odd[symbol] = random.between(1, most)
  else if (kind === 2) odd[random.below(odd.length)] = random.between(1, most)
  else for (const other of used) odd[other] = other === symbol ? random.between(1, most) : 0
  return odd
}
