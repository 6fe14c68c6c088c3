import { createHash, type Hash } from 'node:crypto'
import { type Digest, finishDigest } from '../oci/digest.ts'
import { inodesOf, namesOf } from './inodes.ts'
import type { LayerLimits } from './limits.ts'
import { ancestorsOf, baseOf, isReservedName, OPAQUE_WHITEOUT, parentOf, WHITEOUT_PREFIX } from './names.ts'
import type { EntryType, TarEntry } from './tar-header.ts'
import { type TarEvent, TarScanner } from './tar-scan.ts'

/** One entry of a layer, as a container would get it. */
export type TreeEntry = {
  name: string
  type: EntryType
  size: number
  mode: number
  uid: number
  gid: number
  uname: string
  gname: string
  /** Seconds since 1970, with nine digits after the point where the archive has a fraction. */
  modtime: string
  linkName?: string
  /** `major:minor` of device nodes. */
  dev?: string
  /** Values in base64. */
  xattrs: Record<string, string>
  /** Of the content of regular files. */
  digest?: Digest
}

/** A name of a root file system. Names of one inode share its `file`. */
export type TreeNode = { file: TreeEntry }

/** A root file system by clean name. */
export type RootTree = Map<string, TreeNode>

/** Lists a layer's archive, each file with the digest of its content. @throws LayerError */
export async function listTree(plain: AsyncIterable<Buffer>, limits: LayerLimits): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  const scanner = new TarScanner(limits)
  let current: TreeEntry | undefined
  let hash: Hash | undefined
  const take = (event: TarEvent) => {
    if (event.kind === 'entry') {
      current = treeEntry(event.entry)
      hash = current.type === 'reg' ? createHash('sha256') : undefined
      entries.push(current)
    } else if (event.kind === 'content') {
      hash?.update(event.bytes)
    } else if (event.kind === 'end' && current && hash) {
      current.digest = finishDigest(hash)
    }
  }
  for await (const piece of plain) for (const event of scanner.push(piece)) take(event)
  for (const event of scanner.end()) take(event)
  return entries
}

/**
 * Lays layers over each other, lowest first: whiteouts and opaque directories (OCI image-spec 1.1 layer.md) take
 * away what is below, later names replace earlier ones, hard links share a file. What eStargz adds to a layer is
 * not part of the tree.
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function mergeLayers(layers: Iterable<readonly TreeEntry[]>): RootTree {
  const tree: RootTree = new Map()
  for (const layer of layers) {
    const entries = layer.filter((entry) => !isReservedName(entry.name))
    const { made, stands } = inodesOf(namesOf(entries))
    takeAway(tree, entries)
    replaceDirectories(
      tree,
      entries.filter((_, i) => stands[i]),
    )
    const nodes = new Map<number, TreeNode>()
    for (const [i, entry] of entries.entries()) {
      if (!stands[i] || baseOf(entry.name).startsWith(WHITEOUT_PREFIX)) continue
      const source = made[i] ?? i
      const node = nodes.get(source) ?? { file: entries[source] ?? entry }
      nodes.set(source, node)
      tree.set(entry.name, node)
    }
  }
  return tree
}

/** Applies a layer's whiteouts to the layers below it. */
function takeAway(tree: RootTree, entries: readonly TreeEntry[]): void {
  const gone = new Set<string>()
  const opaque = new Set<string>()
  for (const { name } of entries) {
    const base = baseOf(name)
    if (!base.startsWith(WHITEOUT_PREFIX)) continue
    const parent = parentOf(name)
    if (base === OPAQUE_WHITEOUT) opaque.add(parent)
    else gone.add(`${parent === '' ? '' : `${parent}/`}${base.slice(WHITEOUT_PREFIX.length)}`)
  }
  if (opaque.has('')) tree.clear()
  for (const name of gone) tree.delete(name)
  if (gone.size > 0 || opaque.size > 0) removeUnder(tree, new Set([...gone, ...opaque]))
}

/** What is not a directory hides all of a directory below it. */
function replaceDirectories(tree: RootTree, entries: readonly TreeEntry[]): void {
  const replaced = entries.filter(({ name, type }) => type !== 'dir' && tree.get(name)?.file.type === 'dir')
  if (replaced.length > 0) removeUnder(tree, new Set(replaced.map(({ name }) => name)))
}

function removeUnder(tree: RootTree, directories: ReadonlySet<string>): void {
  for (const name of tree.keys()) {
    for (const above of ancestorsOf(name)) {
      if (!directories.has(above)) continue
      tree.delete(name)
      break
    }
  }
}

function treeEntry(entry: TarEntry): TreeEntry {
  const { seconds, nanoseconds } = entry.mtime
  return {
    name: entry.name,
    type: entry.type,
    size: entry.size,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    uname: entry.uname,
    gname: entry.gname,
    modtime: nanoseconds === 0 ? String(seconds) : `${seconds}+0.${String(nanoseconds).padStart(9, '0')}`,
    ...(entry.linkName === undefined ? {} : { linkName: entry.linkName }),
    ...(entry.type === 'char' || entry.type === 'block'
      ? { dev: `${entry.devMajor}:${entry.devMinor}` }
      : {}),
    xattrs: Object.fromEntries(
      Object.entries(entry.xattrs)
        .map(([key, value]) => [key, value.toString('base64')] as const)
        .sort((a, b) => (a[0] < b[0] ? -1 : 1)),
    ),
  }
}
