import type { MergedView } from '../../rootfs/merged-view.ts'
import type { EntryRef, OpenResult } from '../../rootfs/path-walk.ts'
import type { AccessOrder } from './access-order.ts'

/**
 * Takes what a container reads when it opens a path: the file, and directories and symlinks on the way.
 * @returns where the file's entry is; undefined for a directory that no layer has an entry of
 */
export function addOpened(
  view: MergedView,
  order: AccessOrder,
  opened: OpenResult & { readonly found: true },
): EntryRef | undefined {
  const file = opened.passed.at(-1)
  let found: EntryRef | undefined
  for (const node of opened.passed) {
    const place = view.refOf(node)
    if (place === undefined) continue
    if (node !== file && view.tree.isDirectory(node)) order.pass(place)
    else order.add(place)
    if (node === file) found = place
  }
  return found
}

/** Where the content of an entry is: that of a hard link is elsewhere. */
export function contentOf(view: MergedView, { layer, entry }: EntryRef): EntryRef {
  const [content = entry] = view.withLinkTargets(layer, entry)
  return { layer, entry: content }
}
