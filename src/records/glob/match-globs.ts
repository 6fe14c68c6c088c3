import type { MergedView } from '../../rootfs/merged-view.ts'
import type { RecordStepBudget } from '../record-step-budget.ts'
import { AutomatonBuilder } from './automaton.ts'
import { parseGlob } from './glob.ts'
import { DEAD, GlobMatcher } from './glob-matcher.ts'
import type { GlobToken } from './pattern.ts'

/** Types of entries that a glob matches: those that can be opened and read. Hard links are files. */
const MATCHED_TYPES = new Set(['reg', 'hardlink', 'symlink'])
/** The memory of a stored path counts as this many steps, in addition to its characters. */
const STORED_PATH_STEPS = 50

/** The matches of globs in a root file system. */
export type GlobMatches = {
  /** The globs that match any path. */
  readonly matched: ReadonlySet<string>
  /** The files of each glob that no earlier glob matches, sorted by the code units of their paths. */
  readonly files: ReadonlyMap<string, readonly MatchedFile[]>
}

/** A file or symlink that a glob matches. No symlink is on the way to it. */
export type MatchedFile = {
  readonly path: string
  readonly node: number
  /** The node of its directory. */
  readonly directory: number
}

/**
 * Matches all globs of a record in one walk over the tree, without following symlinks. Directories that
 * cannot contain a match are not entered.
 * @param globs malformed ones match nothing
 * @throws RecordError GLOBS_TOO_COSTLY
 */
export function matchGlobs(
  view: MergedView,
  globs: readonly string[],
  budget: RecordStepBudget,
): GlobMatches {
  budget.chargeTo('globs')
  const { tree } = view
  const groups = groupGlobs([...new Set(globs)], budget)
  const collector = new MatchCollector(view, groups, budget)
  const pending = [{ directory: tree.root, states: groups.map(({ matcher }) => matcher.start) }]
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    const { directory, states } = current
    collector.enter(directory)
    for (const node of tree.children(directory)) {
      budget.spend(1)
      const [start, end] = [tree.nameStart(node), tree.nameStart(node) + tree.nameLength(node)]
      const nameStates = groups.map(({ matcher }, i) =>
        matcher.advanceName(states[i] ?? DEAD, tree.text, start, end),
      )
      if (!tree.isDirectory(node)) {
        collector.add(node, nameStates)
        continue
      }
      const childStates = groups.map(({ matcher }, i) => matcher.advanceSlash(nameStates[i] ?? DEAD))
      if (childStates.some((state) => state !== DEAD)) pending.push({ directory: node, states: childStates })
    }
  }
  budget.chargeTo('paths')
  return collector.finish()
}

/** Globs that are matched together, and their positions among all globs. */
type GlobGroup = {
  readonly matcher: GlobMatcher
  readonly positions: readonly number[]
  readonly globs: readonly string[]
}

/**
 * Groups globs by whether they start with `**`. Those that do stay active in every directory, the others in
 * few. One matcher for both would need a state for each combination of their states.
 */
function groupGlobs(globs: readonly string[], budget: RecordStepBudget): GlobGroup[] {
  const parsed = globs.flatMap((glob, position) => {
    const tokens = parseGlob(glob)
    return tokens === undefined ? [] : [{ glob, position, tokens }]
  })
  const groups = [
    parsed.filter(({ tokens }) => matchesAnyDepth(tokens)),
    parsed.filter(({ tokens }) => !matchesAnyDepth(tokens)),
  ]
  return groups
    .filter((group) => group.length > 0)
    .map((group) => {
      const builder = new AutomatonBuilder()
      for (const { tokens } of group) builder.add(tokens)
      return {
        matcher: new GlobMatcher(builder.build(), budget),
        positions: group.map(({ position }) => position),
        globs: group.map(({ glob }) => glob),
      }
    })
}

function matchesAnyDepth(tokens: readonly GlobToken[]): boolean {
  return tokens.find(({ kind }) => kind !== 'slash')?.kind === 'stars'
}

/** Collects the matches of a walk. */
class MatchCollector {
  readonly #view: MergedView
  readonly #groups: readonly GlobGroup[]
  readonly #budget: RecordStepBudget
  readonly #matched = new Set<string>()
  readonly #files = new Map<string, MatchedFile[]>()
  /** The matcher states of each group whose globs are already in {@link #matched}. */
  readonly #markedStates: readonly Set<number>[]
  #directory = 0
  /** The path of the directory, with a slash unless it is the root; undefined until it is needed. */
  #prefix: string | undefined

  constructor(view: MergedView, groups: readonly GlobGroup[], budget: RecordStepBudget) {
    this.#view = view
    this.#groups = groups
    this.#budget = budget
    this.#markedStates = groups.map(() => new Set())
  }

  /** Sets the directory of the nodes that are added next. */
  enter(directory: number): void {
    this.#directory = directory
    this.#prefix = undefined
  }

  /** @param states of the matcher of each group, after the path of the node */
  add(node: number, states: readonly number[]): void {
    let first: { readonly position: number; readonly glob: string } | undefined
    for (const [i, { matcher, positions, globs }] of this.#groups.entries()) {
      const [firstOfGroup] = matcher.acceptedGlobs(states[i] ?? DEAD)
      if (firstOfGroup === undefined) continue
      const position = positions[firstOfGroup] ?? 0
      if (first === undefined || position < first.position) {
        first = { position, glob: globs[firstOfGroup] ?? '' }
      }
    }
    if (first === undefined || !MATCHED_TYPES.has(this.#view.typeOf(node))) return
    this.#markMatched(states)
    const { tree } = this.#view
    this.#prefix ??= tree.pathInside(this.#directory, '')
    const file = { path: this.#prefix + tree.name(node), node, directory: this.#directory }
    this.#budget.spend(STORED_PATH_STEPS + file.path.length)
    const files = this.#files.get(first.glob)
    if (files) files.push(file)
    else this.#files.set(first.glob, [file])
  }

  #markMatched(states: readonly number[]): void {
    for (const [i, { matcher, globs }] of this.#groups.entries()) {
      const state = states[i] ?? DEAD
      if (this.#markedStates[i]?.has(state)) continue
      this.#markedStates[i]?.add(state)
      const accepted = matcher.acceptedGlobs(state)
      this.#budget.spend(accepted.length)
      for (const glob of accepted) this.#matched.add(globs[glob] ?? '')
    }
  }

  finish(): GlobMatches {
    for (const files of this.#files.values()) files.sort((a, b) => (a.path < b.path ? -1 : 1))
    return { matched: this.#matched, files: this.#files }
  }
}
