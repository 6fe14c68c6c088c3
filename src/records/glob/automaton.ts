import { RecordError } from '../errors.ts'
import type { Range, Token } from './pattern.ts'

/** States of all globs of a record together: a state takes a dozen bytes, and about as many more while it is reached. */
const MAX_STATES = 1_000_000

/** What a state does with the next character of a path. */
export const STATE = {
  /** Takes one character. */
  character: 0,
  /** Takes any character of a name. */
  any: 1,
  /** Takes the characters of a class. */
  class: 2,
  /** Takes any characters of a name, and none. */
  star: 3,
  /** As `star`; as a whole part of the path it takes any number of parts, and none. */
  stars: 4,
  slash: 5,
  /** Goes on at each of two states. */
  split: 6,
  /** The glob matches what came. */
  accept: 7,
} as const

/** A class of characters. A slash is in none. */
export type CharacterClass = { readonly ranges: readonly Range[]; readonly negated: boolean }

/**
 * The states of globs, each glob a chain of them (a nondeterministic automaton). Alternatives in braces are branches of it,
 * so that they take as many states as characters, and no products.
 */
export class Automaton {
  readonly kind: Uint8Array
  /** Of `character` the code point, of `class` its number, of `split` the second state, of `accept` the glob's number. */
  readonly value: Int32Array
  readonly next: Int32Array
  readonly classes: readonly CharacterClass[]
  /** Where the globs begin, by their numbers. */
  readonly starts: readonly number[]

  constructor(made: {
    readonly kind: readonly number[]
    readonly value: readonly number[]
    readonly next: readonly number[]
    readonly classes: readonly CharacterClass[]
    readonly starts: readonly number[]
  }) {
    this.kind = Uint8Array.from(made.kind)
    this.value = Int32Array.from(made.value)
    this.next = Int32Array.from(made.next)
    this.classes = made.classes
    this.starts = made.starts
  }
}

/** Puts globs together, back to front: the state after each token is there before it. */
export class AutomatonBuilder {
  readonly #kind: number[] = []
  readonly #value: number[] = []
  readonly #next: number[] = []
  readonly #classes: CharacterClass[] = []
  readonly #starts: number[] = []

  /** The next glob; the first has the number 0. @throws RecordError GLOBS_TOO_COSTLY */
  add(tokens: readonly Token[]): void {
    const accept = this.#state(STATE.accept, this.#starts.length, -1)
    this.#starts.push(this.#sequence(tokens, accept))
  }

  finish(): Automaton {
    return new Automaton({
      kind: this.#kind,
      value: this.#value,
      next: this.#next,
      classes: this.#classes,
      starts: this.#starts,
    })
  }

  #sequence(tokens: readonly Token[], end: number): number {
    return tokens.reduceRight((next, token) => this.#token(token, next), end)
  }

  #token(token: Token, next: number): number {
    switch (token.kind) {
      case 'character':
        return this.#state(STATE.character, token.code, next)
      case 'class':
        this.#classes.push(token)
        return this.#state(STATE.class, this.#classes.length - 1, next)
      case 'choice':
        return this.#choice(token.branches, next)
      default:
        return this.#state(STATE[token.kind], 0, next)
    }
  }

  #choice(branches: readonly (readonly Token[])[], next: number): number {
    const [first = next, ...others] = branches.map((branch) => this.#sequence(branch, next))
    return others.reduce((before, start) => this.#state(STATE.split, start, before), first)
  }

  #state(kind: number, value: number, next: number): number {
    if (this.#kind.length >= MAX_STATES) {
      throw new RecordError(
        'GLOBS_TOO_COSTLY',
        `the globs of the record have more than ${MAX_STATES} characters; write fewer or simpler ones`,
      )
    }
    this.#kind.push(kind)
    this.#value.push(value)
    this.#next.push(next)
    return this.#kind.length - 1
  }
}
