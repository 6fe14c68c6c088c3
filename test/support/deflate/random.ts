/** Pseudorandom numbers that depend on a seed alone (xorshift32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1
  }

  /** Returns an integer of 32 bits. */
  next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state
  }

  /** Returns an integer from 0 up to, but not including, a bound. */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound)
  }

  /** Returns an integer between two numbers, both inclusive. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  /** Returns true once in so many times on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0]
  }

  shuffled<T>(items: readonly T[]): T[] {
    const remaining = [...items]
    return items.map((item) => remaining.splice(this.below(remaining.length), 1)[0] ?? item)
  }
}

/** Returns bytes like those of layers, from constant to random. */
export function sample(seed: number, length: number): Buffer {
  const random = new Random(seed)
  const bytes = Buffer.alloc(length)
  const words = Array.from({ length: 200 }, () => Buffer.from(`${random.next().toString(36)} `))
  for (let offset = 0; offset < length; ) {
    const end = Math.min(length, offset + random.below(20000))
    const kind = random.below(5)
    while (offset < end) {
      if (kind === 0) bytes[offset++] = random.below(256)
      else if (kind === 1) bytes[offset++] = 0
      else if (kind === 2) {
        offset += (words[random.below(words.length)] ?? bytes).copy(bytes, offset, 0, end - offset)
      } else if (kind === 3) bytes[offset++] = 'acgt'.charCodeAt(random.below(4))
      else bytes[offset] = bytes[offset++ - (1 + random.below(Math.min(offset, 40000)))] ?? 0
    }
  }
  return bytes
}

/** Yields bytes in pieces of random sizes. */
export async function* randomPieces(bytes: Buffer, seed: number): AsyncGenerator<Buffer> {
  const random = new Random(seed)
  const maxBytes = random.pick([1, 3, 50, 1000, 70_000, 1 << 20])
  for (let offset = 0; offset < bytes.length; ) {
    const size = random.between(1, bytes.length > 200_000 ? Math.max(maxBytes, 50) : maxBytes)
    // A piece is overwritten once the next one is requested, so that code that still refers to it reads wrong
    // bytes.
    const piece = Buffer.from(bytes.subarray(offset, offset + size))
    offset += size
    yield piece
    piece.fill(0xa5)
  }
}
