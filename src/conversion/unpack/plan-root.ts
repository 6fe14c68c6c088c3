import type { ArchiveIndex } from '../../estargz/index/archive-index.ts'
import type { MergedView } from '../../rootfs/merged-view.ts'

/** What to write for a root file system. Paths are relative to the root, which is the empty string. */
export type RootPlan = {
  /** All directories, each after its parent. */
  readonly directories: readonly string[]
  /**
   * For each layer, the paths that get the content and the attributes of an entry, by its number in the
   * archive. Several paths are hard links to one file.
   */
  readonly layers: readonly ReadonlyMap<number, readonly string[]>[]
}

/**
 * Plans the root file system that a container of these layers sees. Paths come from the tree, in which no
 * parent is a symlink, so that nothing is written outside of the root.
 */
export function planRoot(view: MergedView, listings: readonly ArchiveIndex[]): RootPlan {
  const { tree } = view
  const directories: string[] = []
  const layers = listings.map(() => new Map<number, string[]>())
  for (const node of tree.descendants(tree.root)) {
    const path = tree.path(node)
    if (tree.isDirectory(node)) directories.push(path)
    const ref = view.refOf(node)
    if (ref === undefined) continue
    const [content = ref.entry] = view.hardLinkChain(ref.layer, ref.entry)
    const paths = layers[ref.layer]?.get(content)
    if (paths) paths.push(path)
    else layers[ref.layer]?.set(content, [path])
  }
  return { directories, layers }
}
