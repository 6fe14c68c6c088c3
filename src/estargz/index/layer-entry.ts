import type { Digest } from '../../oci/digest.ts'
import type { EntryType, TarEntry } from '../../tar/header.ts'

/** Attributes that many entries of a layer share. Zero and empty values are omitted. */
export type EntryAttributes = {
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

/** One entry of a layer. Zero and empty values are omitted. */
export type LayerEntry = EntryAttributes & {
  /** The clean name, relative to the root. The root is the empty string. */
  name: string
  /** The name as spelled in the archive, if that differs. */
  tarName?: string
  size?: number
  /** The target of a symlink or hard link, as spelled in the archive. */
  linkName?: string
  /** RFC 3339, whole seconds. */
  modtime?: string
  /** The digest of a regular file's content, also of an empty file's. */
  digest?: Digest
}

export function attributesOf(entry: TarEntry): EntryAttributes {
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
    ...(xattrs.length === 0 ? {} : { xattrs: Object.fromEntries(xattrs.sort(compareKeys)) }),
  }
}

function compareKeys(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : 1
}
