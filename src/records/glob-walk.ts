import { advance, type Glob, type GlobState, isMatch, onlyNext, startOf } from './glob.ts'
import type { ViewNode } from './merged-view.ts'

/** What a glob takes: what can be opened and read. Hard links are files. */
const MATCHED_TYPES = new Set(['reg', 'hardlink', 'symlink'])

/**
 * The paths of files and symlinks that a glob matches, sorted by code unit. Only directories that can lead to a
 * match are looked into, each once, and symlinks are not gone through.
 */
export function matchesUnder(root: ViewNode, glob: Glob): string[] {
  const found = new Set<string>()
  for (const alternative of glob.alternatives) {
    const open: { node: ViewNode; inside: string; state: GlobState }[] = [
      { node: root, inside: '', state: startOf(alternative) },
    ]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const only = onlyNext(alternative, at.state)
      const names = only === undefined ? (at.node.children?.keys() ?? []) : [only]
      for (const name of names) {
        const node = at.node.children?.get(name)
        const state = node === undefined ? [] : advance(alternative, at.state, name)
        if (node === undefined || state.length === 0) continue
        if (MATCHED_TYPES.has(node.type) && isMatch(alternative, state)) found.add(at.inside + name)
        if (node.children !== undefined) open.push({ node, inside: `${at.inside}${name}/`, state })
      }
    }
  }
  return [...found].sort()
}
