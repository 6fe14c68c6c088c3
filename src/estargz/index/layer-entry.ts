import type { Digest } from '../../oci/digest.ts'
import type { EntryType, TarEntry } from '../../tar/header.ts'

/** What many entries of a layer have in common. What is zero or empty is left out. */
export type Attributes = {
  type: EntryType
  mode?: number
  uid?: number
  gid?: number
  uname?: string
  gname?: string
  devMajor?: number
  devMinor?: number
  /** Values in base64. */
  xattrs?: Record<string, string>
}

/** One entry of a layer. What is zero or empty is left out. */
export type LayerEntry = Attributes & {
  /** Relative to the root, clean; the root itself is the empty string. */
  name: string
  /** As the archive spells it, where that differs. */
  tarName?: string
  size?: number
  /** Of symlinks and hard links, as the archive spells it. */
  linkName?: string
  /** RFC 3339, whole seconds. */
  modtime?: string
  /** Of regular files, empty ones included. */
  digest?: Digest
}

export function attributesOf(entry: TarEntry): Attributes {
  const xattrs = Object.entries(entry.xattrs).map(([key, value]) => [key, value.toString('base64')] as const)
  return {
    type: entry.type,
    ...(entry.mode ? { mode: entry.mode } : {}),
    ...(entry.uid ? { uid: entry.uid } : {}),
    ...(entry.gid ? { gid: entry.gid } : {}),
    ...(entry.uname ? { uname: entry.uname } : {}),
    ...(entry.gname ? { gname: entry.gname } : {}),
    ...(entry.devMajor ? { devMajor: entry.devMajor } : {}),
    ...(entry.devMinor ? { devMinor: entry.devMinor } : {}),
    ...(xattrs.length === 0 ? {} : { xattrs: Object.fromEntries(xattrs.sort(byKey)) }),
  }
}

function byKey(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : 1
}
