import { type Automaton, type CharacterClass, STATE } from './automaton.ts'

export const SLASH = 0x2f
const ASCII_SIZE = 128

/**
 * The characters of paths in groups that the globs do not distinguish: a transition table needs a column for
 * each group, not for each character of Unicode.
 */
export class Alphabet {
  /** The first code point of each group; the next group starts where one ends. */
  readonly #firstCodes: Int32Array
  readonly #asciiGroups = new Uint16Array(ASCII_SIZE)

  constructor({ kind, value, classes }: Automaton) {
    const firstCodes = new Set([0, SLASH, SLASH + 1])
    for (const [state, code] of value.entries()) {
      if (kind[state] === STATE.character) firstCodes.add(code).add(code + 1)
    }
    for (const { ranges } of classes) for (const [low, high] of ranges) firstCodes.add(low).add(high + 1)
    this.#firstCodes = Int32Array.from(firstCodes).sort()
    for (let code = 0; code < ASCII_SIZE; code++) this.#asciiGroups[code] = this.#search(code)
  }

  /** The number of groups. */
  get size(): number {
    return this.#firstCodes.length
  }

  groupOf(code: number): number {
    return code < ASCII_SIZE ? (this.#asciiGroups[code] ?? 0) : this.#search(code)
  }

  /** Returns a code point of a group, on behalf of all of them. */
  representative(group: number): number {
    return this.#firstCodes[group] ?? 0
  }

  #search(code: number): number {
    let low = 0
    let high = this.#firstCodes.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((this.#firstCodes[middle] ?? 0) <= code) low = middle
      else high = middle
    }
    return low
  }
}

/** Whether a class contains a character. The caller excludes slashes, which no class contains. */
export function isInClass({ ranges, negated }: CharacterClass, code: number): boolean {
  return ranges.some(([low, high]) => low <= code && code <= high) !== negated
}
