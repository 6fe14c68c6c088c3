import type { Digest } from '../oci/digest.ts'
import type { ProfileNotes, RecordFormat, SkippedAccesses } from './model.ts'
import type { Provenance } from './provenance.ts'

export type Labels = Readonly<Record<string, string>>

/** A record image that a record was published as. `createdAt` is in milliseconds since 1970. */
export type Publication = { readonly reference: string; readonly digest: Digest; readonly createdAt: number }

/** A record without its entries. Times are in milliseconds since 1970. */
export type StoredRecord = {
  readonly id: string
  readonly project: string
  /** The digest of the record file. */
  readonly digest: Digest
  /** The profiled image, a reference or a digest. */
  readonly image?: string
  readonly workload?: string
  readonly labels: Labels
  readonly format: RecordFormat
  /** The number of entries. */
  readonly entryCount: number
  /** The number of distinct paths and globs. */
  readonly pathCount: number
  /** The accesses of the profile that did not become entries. */
  readonly skipped: SkippedAccesses
  readonly notes: ProfileNotes
  readonly profiler?: string
  readonly profilerVersion?: string
  /** Set for a record that was made from other records. */
  readonly provenance?: Provenance
  readonly createdAt: number
  readonly publications: readonly Publication[]
}
