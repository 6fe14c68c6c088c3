/**
 * A part of a glob. `stars` are exactly two `*` in a row, which can match directories; longer runs are a
 * `star`.
 */
export type GlobToken =
  | { readonly kind: 'character'; readonly code: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly ranges: readonly CodePointRange[]; readonly negated: boolean }
  | { readonly kind: 'star' }
  | { readonly kind: 'stars' }
  | { readonly kind: 'slash' }
  | { readonly kind: 'choice'; readonly branches: readonly (readonly GlobToken[])[] }
/** First and last code point, both included. */
export type CodePointRange = readonly [number, number]

const BACKSLASH = '\\'
/** Levels of nested braces; more than any useful glob has. */
const MAX_DEPTH = 32

/**
 * Parses a glob of a prefetch list with the semantics of `ctr-remote` (doublestar 4): `*`, `?` and `[a-z]`,
 * `[!a]`, `[^a]` match within a part of the path, a part `**` matches any number of parts, including none,
 * `{a,b}` are alternatives, and `\` escapes the next character.
 * @returns undefined if the pattern is malformed, for example if a `[` is not closed
 */
export function parsePattern(pattern: string): readonly GlobToken[] | undefined {
  const parser = new PatternParser(pattern)
  const tokens = parser.parseSequence(false)
  return parser.isMalformed ? undefined : tokens
}

class PatternParser {
  readonly #characters: readonly string[]
  #index = 0
  #depth = 0
  isMalformed = false

  constructor(pattern: string) {
    this.#characters = [...pattern]
  }

  /** Parses up to the end, or inside braces up to `,` or `}`. */
  parseSequence(inBraces: boolean): GlobToken[] {
    const tokens: GlobToken[] = []
    while (this.#index < this.#characters.length && !this.isMalformed) {
      const character = this.#characters[this.#index]
      if (inBraces && (character === ',' || character === '}')) return tokens
      this.#index += 1
      tokens.push(this.#parseToken(character))
    }
    // The braces are not closed.
    if (inBraces) this.isMalformed = true
    return tokens
  }

  #parseToken(character: string | undefined): GlobToken {
    switch (character) {
      case '/':
        return { kind: 'slash' }
      case '?':
        return { kind: 'any' }
      case '*':
        return this.#parseStars()
      case '[':
        return this.#parseClass()
      case '{':
        return this.#parseChoice()
      default:
        return { kind: 'character', code: this.#parseCode(character) }
    }
  }

  #parseStars(): GlobToken {
    const first = this.#index
    while (this.#characters[this.#index] === '*') this.#index += 1
    return { kind: this.#index === first + 1 ? 'stars' : 'star' }
  }

  #parseChoice(): GlobToken {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) this.isMalformed = true
    const branches = [this.parseSequence(true)]
    while (this.#characters[this.#index] === ',') {
      this.#index += 1
      branches.push(this.parseSequence(true))
    }
    this.#index += 1
    this.#depth -= 1
    return { kind: 'choice', branches }
  }

  /** Parses the content of `[...]`: characters and `low-high`; a `-` at either end is literal. */
  #parseClass(): GlobToken {
    const negated = this.#characters[this.#index] === '!' || this.#characters[this.#index] === '^'
    if (negated) this.#index += 1
    const ranges: CodePointRange[] = []
    while (!this.isMalformed && this.#characters[this.#index] !== ']') {
      const low = this.#parseClassCharacter()
      const isRange =
        this.#characters[this.#index] === '-' && ![']', undefined].includes(this.#characters[this.#index + 1])
      if (isRange) this.#index += 1
      ranges.push([low, isRange ? this.#parseClassCharacter() : low])
    }
    this.#index += 1
    if (ranges.length === 0) this.isMalformed = true
    return { kind: 'class', ranges, negated }
  }

  #parseClassCharacter(): number {
    const character = this.#characters[this.#index]
    this.#index += 1
    return this.#parseCode(character)
  }

  /** Returns the code point of a character that was consumed, or of the character that it escapes. */
  #parseCode(character: string | undefined): number {
    let code = character?.codePointAt(0)
    if (character === BACKSLASH) {
      code = this.#characters[this.#index]?.codePointAt(0)
      this.#index += 1
    }
    if (code === undefined) this.isMalformed = true
    return code ?? 0
  }
}
