import type { ListedEntry } from '../../../src/rootfs/layer-listing.ts'

/**
 * Parses listed entries: `d/` is a directory (`/` is the root), `a>b` a hard link, `a->b` a symlink, others
 * are files.
 */
export function createListing(...entries: string[]): ListedEntry[] {
  return entries.map((text) => {
    const [name = '', linkName] = text.split(/-?>/)
    if (linkName !== undefined) return { name, type: text.includes('->') ? 'symlink' : 'hardlink', linkName }
    return name.endsWith('/') ? { name: name.slice(0, -1), type: 'dir' } : { name, type: 'reg' }
  })
}
