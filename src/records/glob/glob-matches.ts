import type { MergedView } from '../../rootfs/merged-view.ts'
import type { StepBudget } from '../step-budget.ts'
import { AutomatonBuilder } from './automaton.ts'
import { parseGlob } from './glob.ts'
import { DEAD, GlobMatcher } from './matcher.ts'
import type { Token } from './pattern.ts'

/** What a glob takes: what can be opened and read. Hard links are files. */
const MATCHED_TYPES = new Set(['reg', 'hardlink', 'symlink'])
/** Steps that keeping a path counts for, beside its characters: it takes memory. */
const KEPT_PATH_STEPS = 50

/** What globs match in a root file system. */
export type GlobMatches = {
  /** The globs that match anything. */
  readonly matched: ReadonlySet<string>
  /** For each glob the paths that it matches and none before it does, sorted by code unit. */
  readonly paths: ReadonlyMap<string, readonly string[]>
}

/**
 * Matches all globs of a record in one walk over the tree. Directories that lead to no match are not looked into, and
 * symlinks are not gone through.
 * @param globs a malformed one matches nothing
 * @throws RecordError GLOBS_TOO_COSTLY
 */
export function matchGlobs(view: MergedView, globs: readonly string[], budget: StepBudget): GlobMatches {
  budget.begin('globs')
  const { tree } = view
  const groups = groupsOf([...new Set(globs)], budget)
  const found = new Found(view, groups, budget)
  const open = [{ directory: tree.root, places: groups.map(({ matcher }) => matcher.start) }]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { directory, places } = at
    for (const node of tree.children(directory)) {
      budget.spend(1)
      const [start, end] = [tree.nameStart(node), tree.nameStart(node) + tree.nameLength(node)]
      const reached = groups.map(({ matcher }, i) =>
        matcher.takeName(places[i] ?? DEAD, tree.text, start, end),
      )
      if (!tree.isDirectory(node)) {
        found.take(node, reached)
        continue
      }
      const inside = groups.map(({ matcher }, i) => matcher.takeSlash(reached[i] ?? DEAD))
      if (inside.some((place) => place !== DEAD)) open.push({ directory: node, places: inside })
    }
  }
  budget.begin('paths')
  return found.finish()
}

/** Globs that are matched together, and their numbers among all. */
type Group = {
  readonly matcher: GlobMatcher
  readonly numbers: readonly number[]
  readonly globs: readonly string[]
}

/**
 * Globs that begin with `**` go on in every directory, the others in few: together they would come to a set of states for
 * each pair of what both kinds have come to.
 */
function groupsOf(globs: readonly string[], budget: StepBudget): Group[] {
  const parsed = globs.flatMap((glob, number) => {
    const tokens = parseGlob(glob)
    return tokens === undefined ? [] : [{ glob, number, tokens }]
  })
  const kinds = [
    parsed.filter(({ tokens }) => isAnywhere(tokens)),
    parsed.filter(({ tokens }) => !isAnywhere(tokens)),
  ]
  return kinds
    .filter((kind) => kind.length > 0)
    .map((kind) => {
      const builder = new AutomatonBuilder()
      for (const { tokens } of kind) builder.add(tokens)
      return {
        matcher: new GlobMatcher(builder.finish(), budget),
        numbers: kind.map(({ number }) => number),
        globs: kind.map(({ glob }) => glob),
      }
    })
}

function isAnywhere(tokens: readonly Token[]): boolean {
  return tokens.find(({ kind }) => kind !== 'slash')?.kind === 'stars'
}

/** Gathers what the walk finds. */
class Found {
  readonly #view: MergedView
  readonly #groups: readonly Group[]
  readonly #budget: StepBudget
  readonly #matched = new Set<string>()
  readonly #paths = new Map<string, string[]>()
  /** For each group the places whose globs are known to match. */
  readonly #seen: readonly Set<number>[]

  constructor(view: MergedView, groups: readonly Group[], budget: StepBudget) {
    this.#view = view
    this.#groups = groups
    this.#budget = budget
    this.#seen = groups.map(() => new Set())
  }

  /** A file, and where its path led in each group. */
  take(node: number, places: readonly number[]): void {
    let first: { readonly number: number; readonly glob: string } | undefined
    for (const [i, { matcher, numbers, globs }] of this.#groups.entries()) {
      const [least] = matcher.accepted(places[i] ?? DEAD)
      if (least === undefined) continue
      const number = numbers[least] ?? 0
      if (first === undefined || number < first.number) first = { number, glob: globs[least] ?? '' }
    }
    if (first === undefined || !MATCHED_TYPES.has(this.#view.typeOf(node))) return
    this.#mark(places)
    const path = this.#view.tree.path(node)
    this.#budget.spend(KEPT_PATH_STEPS + path.length)
    const paths = this.#paths.get(first.glob)
    if (paths) paths.push(path)
    else this.#paths.set(first.glob, [path])
  }

  #mark(places: readonly number[]): void {
    for (const [i, { matcher, globs }] of this.#groups.entries()) {
      const place = places[i] ?? DEAD
      if (this.#seen[i]?.has(place)) continue
      this.#seen[i]?.add(place)
      const accepted = matcher.accepted(place)
      this.#budget.spend(accepted.length)
      for (const glob of accepted) this.#matched.add(globs[glob] ?? '')
    }
  }

  finish(): GlobMatches {
    for (const paths of this.#paths.values()) paths.sort()
    return { matched: this.#matched, paths: this.#paths }
  }
}
