import type { RuleStore, RuleVersion, StoredRule } from '../../jobs/rules.ts'
import { Rule } from './rule.ts'
import { RuleMatcher } from './rule-matcher.ts'

/** Bytes of memory, about, that rules take which are kept. */
const MAX_KEPT = 64 * 1024 * 1024

/** A rule that is ready for use; `invalid`: an earlier version stored what is no rule any more. */
export type KnownRule = RuleVersion &
  ({ readonly rule: Rule; readonly matcher: RuleMatcher } | { readonly invalid: string })

type Kept = { readonly known: KnownRule; readonly weight: number }

/** The stored rules. Each version of one is read and compiled once, as long as all of them together stay small. */
export class KnownRules {
  readonly #store: RuleStore
  readonly #most: number
  readonly #kept = new Map<string, Kept>()
  #weight = 0

  /** @param most bytes of memory, about, that are kept */
  constructor(store: RuleStore, most = MAX_KEPT) {
    this.#store = store
    this.#most = most
  }

  /** Every rule, the oldest first, read when it is its turn. */
  async *all(): AsyncGenerator<KnownRule> {
    const versions = await this.#store.versions()
    this.#forgetAllBut(new Map(versions.map(({ id, updatedAt }) => [id, updatedAt])))
    for (const { id, updatedAt } of versions) {
      const known = this.#kept.get(id)?.known
      if (known?.updatedAt === updatedAt) {
        yield known
        continue
      }
      const stored = await this.#store.get(id)
      // It was deleted just now.
      if (!stored) continue
      const read = knownRule(stored)
      yield read
      // What it weighs shows when it was used.
      this.#keep(read, stored.size)
    }
  }

  #forgetAllBut(versions: ReadonlyMap<string, number>): void {
    for (const [id, { known, weight }] of this.#kept) {
      if (versions.get(id) === known.updatedAt) continue
      this.#kept.delete(id)
      this.#weight -= weight
    }
  }

  /** All rules are used one after the other: to drop another one for this one would gain nothing. */
  #keep(known: KnownRule, documentSize: number): void {
    const weight = documentSize + ('matcher' in known ? known.matcher.weight : 0)
    if (this.#kept.has(known.id) || this.#weight + weight > this.#most) return
    this.#kept.set(known.id, { known, weight })
    this.#weight += weight
  }
}

function knownRule({ id, updatedAt, document }: StoredRule): KnownRule {
  const { success, data: rule, error } = Rule.safeParse(document)
  if (success) return { id, updatedAt, rule, matcher: new RuleMatcher(rule) }
  const [issue] = error.issues
  return { id, updatedAt, invalid: `${issue?.path.join('.')}: ${issue?.message}` }
}
