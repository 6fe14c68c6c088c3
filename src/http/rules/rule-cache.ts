import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import type { RuleVersion, ScopedRules, StoredRule } from '../../jobs/rule-store.ts'
import { issueText } from '../validation/issue-text.ts'
import { Rule } from './rule.ts'
import { RuleMatcher } from './rule-matcher.ts'

/** Approximate memory for cached rules, in bytes. */
const MAX_CACHED_BYTES = 64 * 1024 * 1024

/**
 * A version of a rule, parsed and ready to match. `invalid`: an older release stored it, and it is no longer
 * valid.
 */
export type LoadedRule = RuleVersion &
  (
    | { readonly kind: 'valid'; readonly rule: Rule; readonly matcher: RuleMatcher }
    | { readonly kind: 'invalid'; readonly error: string }
  )

type CachedRule = { readonly loaded: LoadedRule; readonly bytes: number }

/** The stored rules. Each version of a rule is read and compiled once, within a memory budget. */
export class RuleCache {
  readonly #store: Scoped<ScopedRules>
  readonly #maxBytes: number
  readonly #cached = new Map<string, CachedRule>()
  #bytes = 0

  /** @param maxBytes the approximate memory budget, in bytes */
  constructor(store: Scoped<ScopedRules>, maxBytes = MAX_CACHED_BYTES) {
    this.#store = store
    this.#maxBytes = maxBytes
  }

  /**
   * Yields every rule that a scope sees, oldest first. Rules that are not cached are read one at a time.
   * @param isWanted whether the rules of a project are needed; others are not even read; default: all are
   */
  async *all(
    scope: ProjectScope,
    isWanted: (project: string) => Promise<boolean> = async () => true,
  ): AsyncGenerator<LoadedRule> {
    const store = this.#store.in(scope)
    const versions = await store.listVersions()
    this.#evictOutdated(scope, new Map(versions.map(({ id, updatedAt }) => [id, updatedAt])))
    for (const { id, project, updatedAt } of versions) {
      if (!(await isWanted(project))) continue
      const cached = this.#cached.get(id)?.loaded
      if (cached?.updatedAt === updatedAt) {
        yield cached
        continue
      }
      const stored = await store.get(id)
      // Deleted since the versions were read.
      if (!stored) continue
      const loaded = loadRule(stored)
      yield loaded
      // Added after its use, when its globs are compiled and their memory is known.
      this.#add(loaded, stored.size)
    }
  }

  /** @param versions those of all rules that the scope sees: nothing is known of other rules */
  #evictOutdated(scope: ProjectScope, versions: ReadonlyMap<string, number>): void {
    for (const [id, { loaded, bytes }] of this.#cached) {
      if (!scope.includes(loaded.project) || versions.get(id) === loaded.updatedAt) continue
      this.#cached.delete(id)
      this.#bytes -= bytes
    }
  }

  /**
   * Evicts nothing to make space: all rules are used in the same order each time, so evicting another gains
   * nothing.
   */
  #add(loaded: LoadedRule, documentSize: number): void {
    const bytes = documentSize + (loaded.kind === 'valid' ? loaded.matcher.memoryBytes : 0)
    if (this.#cached.has(loaded.id) || this.#bytes + bytes > this.#maxBytes) return
    this.#cached.set(loaded.id, { loaded, bytes })
    this.#bytes += bytes
  }
}

function loadRule({ id, project, updatedAt, document }: StoredRule): LoadedRule {
  const version = { id, project, updatedAt }
  const { success, data: rule, error } = Rule.safeParse(document, { error: issueText })
  if (success) return { ...version, kind: 'valid', rule, matcher: new RuleMatcher(rule) }
  const [issue] = error.issues
  return { ...version, kind: 'invalid', error: `${issue?.path.join('.')}: ${issue?.message}` }
}
