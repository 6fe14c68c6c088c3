import type { RecordStepBudget } from '../record-step-budget.ts'
import { Alphabet, isInClass, SLASH } from './alphabet.ts'
import { type Automaton, STATE } from './automaton.ts'

/** The matcher state from which no glob can match. */
export const DEAD = 0

const DOT = 0x2e
/** A stored transition takes four bytes. */
const MAX_TRANSITIONS = 16_000_000
/** The memory of a stored item, about ten bytes, counts as this many steps. */
const STORED_ITEM_STEPS = 16
const UNKNOWN = -1

/**
 * Matches all globs of an automaton at once, one character at a time. It builds a deterministic automaton on
 * demand: its states are the sets of automaton states that paths reach, numbered and stored with their
 * transitions, so that most characters cost one table lookup. `state` means such a number; a state of the
 * {@link Automaton} is an `nfaState`.
 *
 * An item of a set is twice an NFA state, plus one for a `**` that consumes whole parts of the path.
 */
export class GlobMatcher {
  /** The state before the first part of a path. */
  readonly start: number
  readonly #automaton: Automaton
  readonly #budget: RecordStepBudget
  readonly #alphabet: Alphabet
  readonly #slashGroup: number
  /** States by the items of their set. */
  readonly #states = new Map<string, number>()
  /** Cached results of {@link #partEnds}. */
  readonly #partEndCache = new Map<number, readonly number[]>()
  readonly #sets: Int32Array[] = []
  /** For each state, the next state by group of the character. */
  readonly #transitions: Int32Array[] = []
  readonly #accepted: (readonly number[] | undefined)[] = []

  /** @throws RecordError GLOBS_TOO_COSTLY, as all methods */
  constructor(automaton: Automaton, budget: RecordStepBudget) {
    this.#automaton = automaton
    this.#budget = budget
    this.#alphabet = new Alphabet(automaton)
    this.#slashGroup = this.#alphabet.groupOf(SLASH)
    budget.spend(automaton.kind.length)
    this.#stateOf(new Set())
    this.start = this.#stateOf(this.#closureAtPartStart(automaton.starts.map((nfaState) => 2 * nfaState)))
  }

  /** Returns the state after a name, given as UTF-16 from `start` to `end`. */
  advanceName(from: number, text: Uint16Array, start: number, end: number): number {
    let state = from
    this.#budget.spend(end - start)
    for (let i = start; i < end && state !== DEAD; i++) {
      let code = text[i] ?? 0
      const low = text[i + 1] ?? 0
      if (code >> 10 === 0x36 && low >> 10 === 0x37 && i + 1 < end) {
        code = ((code - 0xd800) << 10) + low - 0xdc00 + 0x10000
        i += 1
      }
      state = this.#advance(state, this.#alphabet.groupOf(code))
    }
    return state
  }

  /** Returns the state after the slash that ends a part. */
  advanceSlash(from: number): number {
    return from === DEAD ? DEAD : this.#advance(from, this.#slashGroup)
  }

  /** Whether any of the globs matches a path without empty and `.` parts. */
  matches(path: string): boolean {
    let state = this.start
    for (const [i, part] of path.split('/').entries()) {
      const text = Uint16Array.from({ length: part.length }, (_, n) => part.charCodeAt(n))
      state = this.advanceName(i === 0 ? state : this.advanceSlash(state), text, 0, text.length)
    }
    return this.acceptedGlobs(state).length > 0
  }

  /** Returns the indexes of the globs that match in this state, in ascending order. */
  acceptedGlobs(state: number): readonly number[] {
    const cached = this.#accepted[state]
    if (cached !== undefined) return cached
    const globs = this.#findAccepted(this.#sets[state] ?? new Int32Array())
    this.#accepted[state] = globs
    return globs
  }

  #advance(state: number, group: number): number {
    const row = this.#transitions[state]
    const cached = row?.[group] ?? UNKNOWN
    if (cached !== UNKNOWN) return cached
    const next = this.#stateOf(this.#step(state, group))
    if (row) row[group] = next
    return next
  }

  /** Returns the state of a set of items; adds it if it is new. */
  #stateOf(set: ReadonlySet<number>): number {
    this.#budget.spend(1 + set.size)
    const items = Int32Array.from(set).sort()
    const key = Buffer.from(items.buffer).toString('latin1')
    const existing = this.#states.get(key)
    if (existing !== undefined) return existing
    // Charging for memory bounds it by the same budget.
    this.#budget.spend(STORED_ITEM_STEPS * set.size)
    const state = this.#sets.length
    this.#states.set(key, state)
    this.#sets.push(items)
    this.#transitions.push(this.#createRow())
    return state
  }

  #createRow(): Int32Array {
    const { size } = this.#alphabet
    this.#budget.spend(size)
    if (this.#transitions.length * size > MAX_TRANSITIONS) throw this.#budget.exceededError()
    return new Int32Array(size).fill(UNKNOWN)
  }

  #step(state: number, group: number): Set<number> {
    const items = this.#sets[state] ?? new Int32Array()
    this.#budget.spend(items.length)
    return group === this.#slashGroup ? this.#stepOverSlash(items) : this.#stepInName(items, group)
  }

  #stepOverSlash(items: Int32Array): Set<number> {
    const { kind, next } = this.#automaton
    const reached: number[] = []
    for (const item of items) {
      const nfaState = item >> 1
      if (item % 2 === 1) reached.push(item)
      else if (kind[nfaState] === STATE.slash) reached.push(2 * (next[nfaState] ?? 0))
    }
    return this.#closureAtPartStart(reached)
  }

  #stepInName(items: Int32Array, group: number): Set<number> {
    const { kind, value, next, classes } = this.#automaton
    const code = this.#alphabet.representative(group)
    const reached = new Set<number>()
    for (const item of items) {
      const nfaState = item >> 1
      const nextItem = 2 * (next[nfaState] ?? 0)
      switch (kind[nfaState]) {
        case STATE.character:
          if (value[nfaState] === code) this.#addClosure(nextItem, reached)
          break
        case STATE.class: {
          const characterClass = classes[value[nfaState] ?? 0]
          this.#budget.spend(characterClass?.ranges.length ?? 0)
          if (characterClass && isInClass(characterClass, code)) this.#addClosure(nextItem, reached)
          break
        }
        case STATE.any:
          this.#addClosure(nextItem, reached)
          break
        case STATE.star:
        case STATE.stars:
          this.#addClosure(item, reached)
          break
      }
    }
    return reached
  }

  /** Adds the items that an item reaches, through choices and empty stars, without consuming a character. */
  #addClosure(start: number, reached: Set<number>): void {
    const { kind, value, next } = this.#automaton
    const pending = [start]
    for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
      if (reached.has(item)) continue
      this.#budget.spend(1)
      const nfaState = item >> 1
      const nextItem = 2 * (next[nfaState] ?? 0)
      if (kind[nfaState] === STATE.split) pending.push(nextItem, 2 * (value[nfaState] ?? 0))
      else reached.add(item)
      if (item % 2 === 1) pending.push(...this.#partEnds(nfaState))
      else if (kind[nfaState] === STATE.star || kind[nfaState] === STATE.stars) pending.push(nextItem)
    }
  }

  /** Returns the items that these items reach at the start of a part of the path. */
  #closureAtPartStart(items: readonly number[]): Set<number> {
    const reached = new Set<number>()
    for (const item of this.#skipEmptyParts(items)) this.#addClosure(item, reached)
    return reached
  }

  /**
   * Returns items at the start of a part, and those that they reach without consuming a part of the path:
   * empty parts and `.` parts of a glob count as nothing, and a `**` can match no part. A `*` cannot, because
   * parts of paths are not empty.
   */
  #skipEmptyParts(items: readonly number[]): Set<number> {
    const { kind, value, next } = this.#automaton
    const reached = new Set<number>()
    const pending = [...items]
    for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
      if (reached.has(item)) continue
      this.#budget.spend(1)
      reached.add(item)
      const nfaState = item >> 1
      const nextItem = 2 * (next[nfaState] ?? 0)
      if (kind[nfaState] === STATE.split) pending.push(nextItem, 2 * (value[nfaState] ?? 0))
      else if (kind[nfaState] === STATE.slash) pending.push(nextItem)
      else if (kind[nfaState] === STATE.stars) this.#skipStars(nfaState, pending)
      else if (kind[nfaState] === STATE.character && value[nfaState] === DOT) {
        pending.push(...this.#partEnds(nfaState))
      }
    }
    return reached
  }

  /** Adds the items of a `**` that is a whole part: it consumes parts, or is skipped. */
  #skipStars(nfaState: number, pending: number[]): void {
    const ends = this.#partEnds(nfaState)
    if (ends.length > 0) pending.push(2 * nfaState + 1, ...ends)
  }

  /** Returns the items after an NFA state that end its part: slashes, or the end of the glob. */
  #partEnds(nfaState: number): readonly number[] {
    const cached = this.#partEndCache.get(nfaState)
    if (cached !== undefined) return cached
    const { kind, value, next } = this.#automaton
    const ends = new Set<number>()
    const visited = new Set<number>()
    const pending = [next[nfaState] ?? 0]
    for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
      if (visited.has(current)) continue
      this.#budget.spend(1)
      visited.add(current)
      if (kind[current] === STATE.split) pending.push(next[current] ?? 0, value[current] ?? 0)
      else if (kind[current] === STATE.slash || kind[current] === STATE.accept) ends.add(2 * current)
    }
    const items = [...ends]
    this.#partEndCache.set(nfaState, items)
    return items
  }

  #findAccepted(items: Int32Array): number[] {
    const { kind, value, next } = this.#automaton
    const afterSlashes: number[] = []
    const globs = new Set<number>()
    const addIfAccepting = (nfaState: number) => {
      if (kind[nfaState] === STATE.accept) globs.add(value[nfaState] ?? 0)
    }
    for (const item of items) {
      const nfaState = item >> 1
      addIfAccepting(nfaState)
      // The remaining parts of the glob can be empty: `lib/`, `lib/.` and `lib/**` match `lib`.
      if (kind[nfaState] === STATE.slash) afterSlashes.push(2 * (next[nfaState] ?? 0))
    }
    for (const item of this.#skipEmptyParts(afterSlashes)) addIfAccepting(item >> 1)
    return [...globs].sort((a, b) => a - b)
  }
}
