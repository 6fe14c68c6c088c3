import type { Digest } from '../../oci/digest.ts'
import type { EntryType } from '../../tar/header.ts'

/** A file of a root file system, as a container sees it. */
export type RootfsEntry = {
  type: EntryType
  size: number
  mode: number
  uid: number
  gid: number
  uname: string
  gname: string
  /** Seconds since 1970; `none` if readers show no time; undefined if the time depends on the clock. */
  modtime: string | undefined
  linkName?: string
  /** `major:minor` of device nodes. */
  dev?: string
  /** Values in base64. */
  xattrs: Record<string, string>
  /** The digest of a regular file's content. */
  digest?: Digest
}
