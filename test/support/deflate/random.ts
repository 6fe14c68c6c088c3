/** Numbers that look random and depend on a seed alone (xorshift32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1
  }

  /** 32 bits. */
  next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state
  }

  /** From 0 up to, not including, a bound. */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound)
  }

  /** From one number to another, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  oneIn(times: number): boolean {
    return this.below(times) === 0
  }

  of<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0]
  }

  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[] {
    const left = [...things]
    return things.map((thing) => left.splice(this.below(left.length), 1)[0] ?? thing)
  }
}

/** Bytes as they lie in layers, from all alike to random. */
export function sample(seed: number, length: number): Buffer {
  const random = new Random(seed)
  const bytes = Buffer.alloc(length)
  const words = Array.from({ length: 200 }, () => Buffer.from(`${random.next().toString(36)} `))
  for (let at = 0; at < length; ) {
    const end = Math.min(length, at + random.below(20000))
    const kind = random.below(5)
    while (at < end) {
      if (kind === 0) bytes[at++] = random.below(256)
      else if (kind === 1) bytes[at++] = 0
      else if (kind === 2) at += (words[random.below(words.length)] ?? bytes).copy(bytes, at, 0, end - at)
      else if (kind === 3) bytes[at++] = 'acgt'.charCodeAt(random.below(4))
      else bytes[at] = bytes[at++ - (1 + random.below(Math.min(at, 40000)))] ?? 0
    }
  }
  return bytes
}

/** Bytes in pieces of sizes that no two readers would choose. */
export async function* randomPieces(bytes: Buffer, seed: number): AsyncGenerator<Buffer> {
  const random = new Random(seed)
  const most = random.of([1, 3, 50, 1000, 70_000, 1 << 20])
  for (let at = 0; at < bytes.length; ) {
    const size = random.between(1, bytes.length > 200_000 ? Math.max(most, 50) : most)
    // A piece is gone once the next one is asked for: what still points to it then reads other bytes.
    const piece = Buffer.from(bytes.subarray(at, at + size))
    at += size
    yield piece
    piece.fill(0xa5)
  }
}
