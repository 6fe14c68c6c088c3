import { type Automaton, type CharacterClass, STATE } from './automaton.ts'

export const SLASH = 0x2f
const ASCII = 128

/**
 * The characters of paths in groups that the globs treat alike: a table needs a column for each group, not for each
 * character of Unicode.
 */
export class Alphabet {
  /** The first code point of each group; a group ends before the next one begins. */
  readonly #firsts: Int32Array
  readonly #ascii = new Uint16Array(ASCII)

  constructor({ kind, value, classes }: Automaton) {
    const firsts = new Set([0, SLASH, SLASH + 1])
    for (const [state, code] of value.entries()) {
      if (kind[state] === STATE.character) firsts.add(code).add(code + 1)
    }
    for (const { ranges } of classes) for (const [low, high] of ranges) firsts.add(low).add(high + 1)
    this.#firsts = Int32Array.from(firsts).sort()
    for (let code = 0; code < ASCII; code++) this.#ascii[code] = this.#search(code)
  }

  /** How many groups there are. */
  get size(): number {
    return this.#firsts.length
  }

  /** The group of a character. */
  groupOf(code: number): number {
    return code < ASCII ? (this.#ascii[code] ?? 0) : this.#search(code)
  }

  /** A character of a group; all others are treated alike. */
  sample(group: number): number {
    return this.#firsts[group] ?? 0
  }

  #search(code: number): number {
    let low = 0
    let high = this.#firsts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((this.#firsts[middle] ?? 0) <= code) low = middle
      else high = middle
    }
    return low
  }
}

/** Whether a class takes a character; a slash it never does. */
export function isInClass({ ranges, negated }: CharacterClass, code: number): boolean {
  return ranges.some(([low, high]) => low <= code && code <= high) !== negated
}
