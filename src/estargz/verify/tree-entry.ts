import type { Digest } from '../../oci/digest.ts'
import type { EntryType } from '../../tar/header.ts'

/** A file of a root file system, as a container would get it. */
export type TreeEntry = {
  type: EntryType
  size: number
  mode: number
  uid: number
  gid: number
  uname: string
  gname: string
  /** Seconds since 1970, or `none` where readers show no time; undefined where it depends on the clock. */
  modtime: string | undefined
  linkName?: string
  /** `major:minor` of device nodes. */
  dev?: string
  /** Values in base64. */
  xattrs: Record<string, string>
  /** Of the content of regular files. */
  digest?: Digest
}
