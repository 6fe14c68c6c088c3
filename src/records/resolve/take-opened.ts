import type { MergedView } from '../../rootfs/merged-view.ts'
import type { Opened, Place } from '../../rootfs/view-walk.ts'
import type { AccessOrder } from './access-order.ts'

/**
 * Takes what a container reads when it opens a path: the file, and directories and symlinks on the way.
 * @returns where the file's entry is; undefined for a directory that no layer has an entry of
 */
export function takeOpened(
  view: MergedView,
  order: AccessOrder,
  opened: Opened & { readonly found: true },
): Place | undefined {
  const file = opened.passed.at(-1)
  let found: Place | undefined
  for (const node of opened.passed) {
    const place = view.placeOf(node)
    if (place === undefined) continue
    if (node !== file && view.tree.isDirectory(node)) order.pass(place)
    else order.add(place)
    if (node === file) found = place
  }
  return found
}

/** Where the content of an entry is: that of a hard link is elsewhere. */
export function contentOf(view: MergedView, { layer, entry }: Place): Place {
  const [content = entry] = view.withLinkTargets(layer, entry)
  return { layer, entry: content }
}
