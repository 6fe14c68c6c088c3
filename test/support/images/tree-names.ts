import type { MergedView } from '../../../src/rootfs/merged-view.ts'

/**
 * The paths in a merged root file system for which a layer has an entry. The root directory is the empty
 * string.
 */
export function listTreeNames({ tree }: MergedView): string[] {
  return [...tree.descendants(tree.root)]
    .filter((node) => tree.entry(node) !== -1)
    .map((node) => tree.path(node))
}
