/** Numbers in [0, 1) that a seed determines (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const CUT_EVERY = 512

/** Every beginning of the bytes that ends at a multiple of 512, and those that lack a few bytes. */
export function* generateTruncations(bytes: Buffer): Generator<{ name: string; bytes: Buffer }> {
  const ends = [1, 2, 7, 8, 9].map((missing) => bytes.length - missing)
  for (let end = 0; end < bytes.length; end += CUT_EVERY) ends.push(end)
  for (const end of ends) {
    if (end >= 0) yield { name: `cut off at ${end}`, bytes: bytes.subarray(0, end) }
  }
}

/** The bytes with a few bits turned. */
function flipped(bytes: Buffer, random: () => number): Buffer {
  const changed = Buffer.from(bytes)
  const flips = 1 + Math.floor(random() * 4)
  for (let n = 0; n < flips; n++) {
    const at = Math.floor(random() * changed.length)
    changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  }
  return changed
}

/** The bytes with a part left out, repeated, moved, zeroed or made anew. */
function spliced(bytes: Buffer, random: () => number): Buffer {
  const place = () => Math.floor(random() * bytes.length)
  // Parts of whole blocks as often as others: those of archives begin at multiples of 512.
  const whole = random() < 0.5
  const round = (at: number) => (whole ? Math.floor(at / CUT_EVERY) * CUT_EVERY : at)
  const [from = 0, to = 0] = [round(place()), round(place())].sort((a, b) => a - b)
  const part = bytes.subarray(from, Math.min(to, from + 8_192))
  const [before, after] = [bytes.subarray(0, from), bytes.subarray(from + part.length)]
  const made = Buffer.from(
    Array.from({ length: Math.min(part.length, 64) }, () => Math.floor(random() * 256)),
  )
  const ways = [
    () => [before, after],
    () => [before, part, part, after],
    () => [part, before, after],
    () => [before, Buffer.alloc(part.length), after],
    () => [before, made, after],
    () => [before, after.subarray(0, 512), part, after.subarray(512)],
  ]
  return Buffer.concat(ways[Math.floor(random() * ways.length)]?.() ?? [bytes])
}

/** So many changed copies of the bytes, which the seed determines. */
export function* generateMutations(
  bytes: Buffer,
  count: number,
  seed: number,
): Generator<{ name: string; bytes: Buffer }> {
  yield* generateTruncations(bytes)
  for (let n = 0; n < count; n++) {
    const random = createRandom(seed + n)
    const isFlip = (seed + n) % 2 === 0
    const changed = isFlip ? flipped(bytes, random) : spliced(bytes, random)
    yield { name: `${isFlip ? 'flipped' : 'spliced'} by seed ${seed + n}`, bytes: changed }
  }
}
