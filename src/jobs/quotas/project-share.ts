/**
 * What one project gets at most of a bound on all projects, as soon as there are others than the default one. Half: a
 * single project can use most of a broker that is otherwise idle, and can never take everything from the others.
 */
const MAX_SHARE = 1 / 2
/** Less of the rules, since each of them also costs time at the pushes of others. */
const MAX_RULE_SHARE = 1 / 4

/** The most that one of several projects gets of a bound on queued jobs or event streams. */
export function projectShare(bound: number): number {
  return Math.max(1, Math.floor(bound * MAX_SHARE))
}

/** The most that one of several projects gets of the bound on rules. */
export function projectRuleShare(bound: number): number {
  return Math.max(1, Math.floor(bound * MAX_RULE_SHARE))
}
