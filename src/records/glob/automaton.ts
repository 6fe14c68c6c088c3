import { RecordError } from '../errors.ts'
import type { CodePointRange, GlobToken } from './pattern.ts'

/**
 * For all globs of a record together. A state takes about a dozen bytes, and as many again while it is
 * active.
 */
const MAX_STATES = 1_000_000

/** What a state does with the next character of a path. */
export const STATE = {
  /** Consumes one character. */
  character: 0,
  /** Consumes any character except a slash. */
  any: 1,
  /** Consumes a character of a class. */
  class: 2,
  /** Consumes any number of characters except slashes, including none. */
  star: 3,
  /** As `star`; as a whole part of the glob it consumes any number of parts, including none. */
  stars: 4,
  slash: 5,
  /** Continues at each of two states. */
  split: 6,
  /** The glob matches the consumed characters. */
  accept: 7,
} as const

/** A class of characters; it never contains a slash. */
export type CharacterClass = { readonly ranges: readonly CodePointRange[]; readonly negated: boolean }

/**
 * The globs as a nondeterministic automaton: a chain of states for each glob. Alternatives in braces are
 * branches, so that they take as many states as characters, instead of a chain for each combination.
 */
export class Automaton {
  readonly kind: Uint8Array
  /**
   * The code point of a `character`, the index of a `class`, the second next state of a `split`, the index of
   * the glob of an `accept`.
   */
  readonly value: Int32Array
  readonly next: Int32Array
  readonly classes: readonly CharacterClass[]
  /** The first state of each glob. */
  readonly starts: readonly number[]

  constructor(columns: {
    readonly kind: readonly number[]
    readonly value: readonly number[]
    readonly next: readonly number[]
    readonly classes: readonly CharacterClass[]
    readonly starts: readonly number[]
  }) {
    this.kind = Uint8Array.from(columns.kind)
    this.value = Int32Array.from(columns.value)
    this.next = Int32Array.from(columns.next)
    this.classes = columns.classes
    this.starts = columns.starts
  }
}

/** Builds an automaton. Each glob is built from its end, because a state refers to the next one. */
export class AutomatonBuilder {
  readonly #kind: number[] = []
  readonly #value: number[] = []
  readonly #next: number[] = []
  readonly #classes: CharacterClass[] = []
  readonly #starts: number[] = []

  /** Adds the next glob; the first one has the index 0. @throws RecordError GLOBS_TOO_COSTLY */
  add(tokens: readonly GlobToken[]): void {
    const accept = this.#addState(STATE.accept, this.#starts.length, -1)
    this.#starts.push(this.#addSequence(tokens, accept))
  }

  build(): Automaton {
    return new Automaton({
      kind: this.#kind,
      value: this.#value,
      next: this.#next,
      classes: this.#classes,
      starts: this.#starts,
    })
  }

  #addSequence(tokens: readonly GlobToken[], end: number): number {
    return tokens.reduceRight((next, token) => this.#addToken(token, next), end)
  }

  #addToken(token: GlobToken, next: number): number {
    switch (token.kind) {
      case 'character':
        return this.#addState(STATE.character, token.code, next)
      case 'class':
        this.#classes.push(token)
        return this.#addState(STATE.class, this.#classes.length - 1, next)
      case 'choice':
        return this.#addChoice(token.branches, next)
      default:
        return this.#addState(STATE[token.kind], 0, next)
    }
  }

  #addChoice(branches: readonly (readonly GlobToken[])[], next: number): number {
    const [first = next, ...others] = branches.map((branch) => this.#addSequence(branch, next))
    return others.reduce((previous, start) => this.#addState(STATE.split, start, previous), first)
  }

  #addState(kind: number, value: number, next: number): number {
    if (this.#kind.length >= MAX_STATES) {
      throw new RecordError(
        'GLOBS_TOO_COSTLY',
        `the globs of the record have more than ${MAX_STATES} characters; use fewer or simpler globs`,
      )
    }
    this.#kind.push(kind)
    this.#value.push(value)
    this.#next.push(next)
    return this.#kind.length - 1
  }
}
