/** What one place of a glob stands for. `stars` are two `*` in a row, which may cross directories; more of them do not. */
export type Token =
  | { readonly kind: 'character'; readonly code: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly ranges: readonly Range[]; readonly negated: boolean }
  | { readonly kind: 'star' }
  | { readonly kind: 'stars' }
  | { readonly kind: 'slash' }
  | { readonly kind: 'choice'; readonly branches: readonly (readonly Token[])[] }
/** First and last code point, both included. */
export type Range = readonly [number, number]

const BACKSLASH = '\\'
/** Braces in braces: deeper ones are written by nobody. */
const MAX_DEPTH = 32

/**
 * Parses a glob of a prefetch list, with the meaning that `ctr-remote` gives it (doublestar 4): `*`, `?` and `[a-z]`,
 * `[!a]`, `[^a]` stay in a part of the path, a part `**` is any number of parts and none, `{a,b}` are alternatives, `\`
 * makes the next character ordinary.
 * @returns undefined when the pattern is malformed, such as a `[` that nothing closes
 */
export function parsePattern(pattern: string): readonly Token[] | undefined {
  const parser = new Parser(pattern)
  const tokens = parser.sequence(false)
  return parser.isMalformed ? undefined : tokens
}

class Parser {
  readonly #characters: readonly string[]
  #at = 0
  #depth = 0
  isMalformed = false

  constructor(pattern: string) {
    this.#characters = [...pattern]
  }

  /** Tokens up to the end, or inside braces up to `,` or `}`. */
  sequence(inBraces: boolean): Token[] {
    const tokens: Token[] = []
    while (this.#at < this.#characters.length && !this.isMalformed) {
      const character = this.#characters[this.#at]
      if (inBraces && (character === ',' || character === '}')) return tokens
      this.#at += 1
      tokens.push(this.#token(character))
    }
    // Braces that nothing closes.
    if (inBraces) this.isMalformed = true
    return tokens
  }

  #token(character: string | undefined): Token {
    switch (character) {
      case '/':
        return { kind: 'slash' }
      case '?':
        return { kind: 'any' }
      case '*':
        return this.#stars()
      case '[':
        return this.#class()
      case '{':
        return this.#choice()
      default:
        return { kind: 'character', code: this.#codeOf(character) }
    }
  }

  #stars(): Token {
    const first = this.#at
    while (this.#characters[this.#at] === '*') this.#at += 1
    return { kind: this.#at === first + 1 ? 'stars' : 'star' }
  }

  #choice(): Token {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) this.isMalformed = true
    const branches = [this.sequence(true)]
    while (this.#characters[this.#at] === ',') {
      this.#at += 1
      branches.push(this.sequence(true))
    }
    this.#at += 1
    this.#depth -= 1
    return { kind: 'choice', branches }
  }

  /** The inside of `[...]`: characters and `lo-hi`; a `-` at either end is itself. */
  #class(): Token {
    const negated = this.#characters[this.#at] === '!' || this.#characters[this.#at] === '^'
    if (negated) this.#at += 1
    const ranges: Range[] = []
    while (!this.isMalformed && this.#characters[this.#at] !== ']') {
      const low = this.#classCharacter()
      const isRange =
        this.#characters[this.#at] === '-' && ![']', undefined].includes(this.#characters[this.#at + 1])
      if (isRange) this.#at += 1
      ranges.push([low, isRange ? this.#classCharacter() : low])
    }
    this.#at += 1
    if (ranges.length === 0) this.isMalformed = true
    return { kind: 'class', ranges, negated }
  }

  #classCharacter(): number {
    const character = this.#characters[this.#at]
    this.#at += 1
    return this.#codeOf(character)
  }

  /** The code point of a character that was taken, or of the one that it escapes. */
  #codeOf(character: string | undefined): number {
    let code = character?.codePointAt(0)
    if (character === BACKSLASH) {
      code = this.#characters[this.#at]?.codePointAt(0)
      this.#at += 1
    }
    if (code === undefined) this.isMalformed = true
    return code ?? 0
  }
}
