/** Creates a generator of numbers in [0, 1) that a seed determines (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const CUT_EVERY = 512

/** Yields the bytes cut off at each multiple of 512, and without the last few bytes. */
function* generateTruncations(bytes: Buffer): Generator<{ name: string; bytes: Buffer }> {
  const ends = [1, 2, 7, 8, 9].map((missing) => bytes.length - missing)
  for (let end = 0; end < bytes.length; end += CUT_EVERY) ends.push(end)
  for (const end of ends) {
    if (end >= 0) yield { name: `cut off at ${end}`, bytes: bytes.subarray(0, end) }
  }
}

/** Returns the bytes with a few flipped bits. */
function flipBits(bytes: Buffer, random: () => number): Buffer {
  const changed = Buffer.from(bytes)
  const flips = 1 + Math.floor(random() * 4)
  for (let n = 0; n < flips; n++) {
    const offset = Math.floor(random() * changed.length)
    changed[offset] = (changed[offset] ?? 0) ^ (1 << Math.floor(random() * 8))
  }
  return changed
}

/** Returns the bytes with a part removed, repeated, moved, zeroed or replaced. */
function splice(bytes: Buffer, random: () => number): Buffer {
  const randomOffset = () => Math.floor(random() * bytes.length)
  // Half of the parts have the boundaries of tar blocks, which are multiples of 512.
  const isAligned = random() < 0.5
  const align = (offset: number) => (isAligned ? Math.floor(offset / CUT_EVERY) * CUT_EVERY : offset)
  const [from = 0, to = 0] = [align(randomOffset()), align(randomOffset())].sort((a, b) => a - b)
  const part = bytes.subarray(from, Math.min(to, from + 8_192))
  const [before, after] = [bytes.subarray(0, from), bytes.subarray(from + part.length)]
  const replacement = Buffer.from(
    Array.from({ length: Math.min(part.length, 64) }, () => Math.floor(random() * 256)),
  )
  const edits = [
    () => [before, after],
    () => [before, part, part, after],
    () => [part, before, after],
    () => [before, Buffer.alloc(part.length), after],
    () => [before, replacement, after],
    () => [before, after.subarray(0, 512), part, after.subarray(512)],
  ]
  return Buffer.concat(edits[Math.floor(random() * edits.length)]?.() ?? [bytes])
}

/** Yields all truncations of the bytes, and `count` changed copies that the seed determines. */
export function* generateMutations(
  bytes: Buffer,
  count: number,
  seed: number,
): Generator<{ name: string; bytes: Buffer }> {
  yield* generateTruncations(bytes)
  for (let n = 0; n < count; n++) {
    const random = createRandom(seed + n)
    const isFlip = (seed + n) % 2 === 0
    const changed = isFlip ? flipBits(bytes, random) : splice(bytes, random)
    yield { name: `${isFlip ? 'flipped' : 'spliced'} by seed ${seed + n}`, bytes: changed }
  }
}
