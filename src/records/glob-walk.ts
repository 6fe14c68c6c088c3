import { advance, type Glob, type GlobState, isMatch, onlyNext, startOf } from './glob.ts'
import type { MergedView } from './merged-view.ts'

/** What a glob takes: what can be opened and read. Hard links are files. */
const MATCHED_TYPES = new Set(['reg', 'hardlink', 'symlink'])

/**
 * The paths of files and symlinks that a glob matches, sorted by code unit. Only directories that can lead to a
 * match are looked into, each once, and symlinks are not gone through.
 */
export function matchesUnder(view: MergedView, glob: Glob): string[] {
  const { tree } = view
  const found = new Set<string>()
  for (const alternative of glob.alternatives) {
    const open: { directory: number; inside: string; state: GlobState }[] = [
      { directory: tree.root, inside: '', state: startOf(alternative) },
    ]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const only = onlyNext(alternative, at.state)
      const children = only === undefined ? tree.children(at.directory) : [tree.child(at.directory, only)]
      for (const node of children) {
        if (node === undefined) continue
        const name = only ?? tree.name(node)
        const state = advance(alternative, at.state, name)
        if (state.length === 0) continue
        if (tree.isDirectory(node)) open.push({ directory: node, inside: `${at.inside}${name}/`, state })
        else if (isMatch(alternative, state) && MATCHED_TYPES.has(view.typeOf(node)))
          found.add(at.inside + name)
      }
    }
  }
  return [...found].sort()
}
