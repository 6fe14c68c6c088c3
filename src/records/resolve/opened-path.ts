import type { MergedView } from '../../rootfs/merged-view.ts'
import type { EntryRef, OpenResult } from '../../rootfs/path-walk.ts'
import type { AccessOrderBuilder } from './access-order-builder.ts'

/**
 * Adds the entries that a container reads when it opens a path: the file, and the directories and symlinks on
 * the way.
 * @returns the entry of the file; undefined for a directory without an entry in any layer
 */
export function addOpenedPath(
  view: MergedView,
  order: AccessOrderBuilder,
  opened: OpenResult & { readonly kind: 'found' },
): EntryRef | undefined {
  const file = opened.traversed.at(-1)
  let fileRef: EntryRef | undefined
  for (const node of opened.traversed) {
    const ref = view.refOf(node)
    if (ref === undefined) continue
    if (node !== file && view.tree.isDirectory(node)) order.addTraversed(ref)
    else order.addRead(ref)
    if (node === file) fileRef = ref
  }
  return fileRef
}

/** Returns the entry with the content of an entry: the target of a hard link, otherwise the entry itself. */
export function contentRefOf(view: MergedView, { layer, entry }: EntryRef): EntryRef {
  const [content = entry] = view.hardLinkChain(layer, entry)
  return { layer, entry: content }
}
