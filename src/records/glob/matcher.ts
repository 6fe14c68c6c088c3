import type { StepBudget } from '../step-budget.ts'
import { Alphabet, isInClass, SLASH } from './alphabet.ts'
import { type Automaton, STATE } from './automaton.ts'

/** A place of the matcher from which no glob can match any more. */
export const DEAD = 0

const DOT = 0x2e
/** Transitions that are kept take four bytes each. */
const MAX_TRANSITIONS = 16_000_000
/** Steps that keeping an item of a set counts for: it takes some ten bytes. */
const KEPT_ITEM_STEPS = 16
const UNKNOWN = -1

/**
 * Matches all globs of an automaton at once, a character at a time. The sets of states that it comes to are numbered and
 * kept with where each character leads (a deterministic automaton that is made as it is needed), so that most characters
 * cost one look into a table.
 *
 * An item of a set is twice the number of a state; one more for a `**` that stands for whole parts of the path.
 */
export class GlobMatcher {
  /** Before the first part of a path. */
  readonly start: number
  readonly #automaton: Automaton
  readonly #budget: StepBudget
  readonly #alphabet: Alphabet
  readonly #slash: number
  readonly #numbers = new Map<string, number>()
  readonly #ends = new Map<number, readonly number[]>()
  readonly #sets: Int32Array[] = []
  readonly #transitions: Int32Array[] = []
  readonly #accepted: (readonly number[] | undefined)[] = []

  constructor(automaton: Automaton, budget: StepBudget) {
    this.#automaton = automaton
    this.#budget = budget
    this.#alphabet = new Alphabet(automaton)
    this.#slash = this.#alphabet.groupOf(SLASH)
    budget.spend(automaton.kind.length)
    this.#number(new Set())
    this.start = this.#number(this.#atPartStart(automaton.starts.map((state) => 2 * state)))
  }

  /** Where a name leads, in UTF-16 from `from` to `to`; {@link DEAD} where nothing can match any more. */
  takeName(place: number, text: Uint16Array, from: number, to: number): number {
    let at = place
    this.#budget.spend(to - from)
    for (let i = from; i < to && at !== DEAD; i++) {
      let code = text[i] ?? 0
      const low = text[i + 1] ?? 0
      if (code >> 10 === 0x36 && low >> 10 === 0x37 && i + 1 < to) {
        code = ((code - 0xd800) << 10) + low - 0xdc00 + 0x10000
        i += 1
      }
      at = this.#follow(at, this.#alphabet.groupOf(code))
    }
    return at
  }

  /** Where the end of a part leads. */
  takeSlash(place: number): number {
    return place === DEAD ? DEAD : this.#follow(place, this.#slash)
  }

  /** Whether one of the globs matches a path without empty and `.` parts. */
  accepts(path: string): boolean {
    let place = this.start
    for (const [i, part] of path.split('/').entries()) {
      const text = Uint16Array.from({ length: part.length }, (_, n) => part.charCodeAt(n))
      place = this.takeName(i === 0 ? place : this.takeSlash(place), text, 0, text.length)
    }
    return this.accepted(place).length > 0
  }

  /** The globs that match what was taken, their numbers rising. */
  accepted(place: number): readonly number[] {
    const known = this.#accepted[place]
    if (known !== undefined) return known
    const globs = this.#acceptedBy(this.#sets[place] ?? new Int32Array())
    this.#accepted[place] = globs
    return globs
  }

  #follow(place: number, group: number): number {
    const row = this.#transitions[place]
    const known = row?.[group] ?? UNKNOWN
    if (known !== UNKNOWN) return known
    const next = this.#number(this.#step(place, group))
    if (row) row[group] = next
    return next
  }

  /** The number of a set, a new one where it was not met before. */
  #number(set: ReadonlySet<number>): number {
    this.#budget.spend(1 + set.size)
    const items = Int32Array.from(set).sort()
    const key = Buffer.from(items.buffer).toString('latin1')
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    // What is kept takes memory, which is bounded as the steps are.
    this.#budget.spend(KEPT_ITEM_STEPS * set.size)
    const number = this.#sets.length
    this.#numbers.set(key, number)
    this.#sets.push(items)
    this.#transitions.push(this.#newRow())
    return number
  }

  /** Rows are charged for, so that their memory is bounded as the steps are. */
  #newRow(): Int32Array {
    const { size } = this.#alphabet
    this.#budget.spend(size)
    if (this.#transitions.length * size > MAX_TRANSITIONS) throw this.#budget.exceeded()
    return new Int32Array(size).fill(UNKNOWN)
  }

  #step(place: number, group: number): Set<number> {
    const items = this.#sets[place] ?? new Int32Array()
    this.#budget.spend(items.length)
    return group === this.#slash ? this.#stepOverSlash(items) : this.#stepInName(items, group)
  }

  #stepOverSlash(items: Int32Array): Set<number> {
    const { kind, next } = this.#automaton
    const reached: number[] = []
    for (const item of items) {
      const state = item >> 1
      if (item % 2 === 1) reached.push(item)
      else if (kind[state] === STATE.slash) reached.push(2 * (next[state] ?? 0))
    }
    return this.#atPartStart(reached)
  }

  #stepInName(items: Int32Array, group: number): Set<number> {
    const { kind, value, next, classes } = this.#automaton
    const code = this.#alphabet.sample(group)
    const reached = new Set<number>()
    for (const item of items) {
      const state = item >> 1
      const after = 2 * (next[state] ?? 0)
      switch (kind[state]) {
        case STATE.character:
          if (value[state] === code) this.#reach(after, reached)
          break
        case STATE.class: {
          const one = classes[value[state] ?? 0]
          this.#budget.spend(one?.ranges.length ?? 0)
          if (one && isInClass(one, code)) this.#reach(after, reached)
          break
        }
        case STATE.any:
          this.#reach(after, reached)
          break
        case STATE.star:
        case STATE.stars:
          this.#reach(item, reached)
          break
      }
    }
    return reached
  }

  /** Adds what an item stands for: the states that take a character, or accept, behind choices and stars. */
  #reach(item: number, reached: Set<number>): void {
    const { kind, value, next } = this.#automaton
    const open = [item]
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      if (reached.has(one)) continue
      this.#budget.spend(1)
      const state = one >> 1
      const after = 2 * (next[state] ?? 0)
      if (kind[state] === STATE.split) open.push(after, 2 * (value[state] ?? 0))
      else reached.add(one)
      if (one % 2 === 1) open.push(...this.#endsOf(state))
      else if (kind[state] === STATE.star || kind[state] === STATE.stars) open.push(after)
    }
  }

  /** Where globs can go on at the beginning of a part. */
  #atPartStart(items: readonly number[]): Set<number> {
    const reached = new Set<number>()
    for (const item of this.#skipping(items)) this.#reach(item, reached)
    return reached
  }

  /**
   * Items at the beginning of a part, and those that are reached without taking anything of the path: empty parts and `.`
   * parts of a glob are none, and a `**` may be no part at all. A `*` cannot: parts of paths are not empty.
   */
  #skipping(items: readonly number[]): Set<number> {
    const { kind, value, next } = this.#automaton
    const seen = new Set<number>()
    const open = [...items]
    for (let item = open.pop(); item !== undefined; item = open.pop()) {
      if (seen.has(item)) continue
      this.#budget.spend(1)
      seen.add(item)
      const state = item >> 1
      const after = 2 * (next[state] ?? 0)
      if (kind[state] === STATE.split) open.push(after, 2 * (value[state] ?? 0))
      else if (kind[state] === STATE.slash) open.push(after)
      else if (kind[state] === STATE.stars) this.#skipParts(state, open)
      else if (kind[state] === STATE.character && value[state] === DOT) open.push(...this.#endsOf(state))
    }
    return seen
  }

  /** A `**` that is a whole part takes any number of parts, or is passed over. */
  #skipParts(state: number, open: number[]): void {
    const ends = this.#endsOf(state)
    if (ends.length > 0) open.push(2 * state + 1, ...ends)
  }

  /** Where a glob goes on behind a state as the end of a part: at slashes, or at its own end. */
  #endsOf(state: number): readonly number[] {
    const known = this.#ends.get(state)
    if (known !== undefined) return known
    const { kind, value, next } = this.#automaton
    const ends = new Set<number>()
    const seen = new Set<number>()
    const open = [next[state] ?? 0]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue
      this.#budget.spend(1)
      seen.add(at)
      if (kind[at] === STATE.split) open.push(next[at] ?? 0, value[at] ?? 0)
      else if (kind[at] === STATE.slash || kind[at] === STATE.accept) ends.add(2 * at)
    }
    const items = [...ends]
    this.#ends.set(state, items)
    return items
  }

  #acceptedBy(items: Int32Array): number[] {
    const { kind, value, next } = this.#automaton
    const behindSlashes: number[] = []
    const globs = new Set<number>()
    const accept = (state: number) => {
      if (kind[state] === STATE.accept) globs.add(value[state] ?? 0)
    }
    for (const item of items) {
      const state = item >> 1
      accept(state)
      // What follows may be no part of the path: `lib/`, `lib/.` and `lib/**` match `lib`.
      if (kind[state] === STATE.slash) behindSlashes.push(2 * (next[state] ?? 0))
    }
    for (const item of this.#skipping(behindSlashes)) accept(item >> 1)
    return [...globs].sort((a, b) => a - b)
  }
}
