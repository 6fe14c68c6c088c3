import type { MergedView } from '../../../src/rootfs/merged-view.ts'

/** The names in a root file system that some layer has an entry of; the root itself is the empty string. */
export function listTreeNames({ tree }: MergedView): string[] {
  return [...tree.descendants(tree.root)]
    .filter((node) => tree.entry(node) !== -1)
    .map((node) => tree.path(node))
}
