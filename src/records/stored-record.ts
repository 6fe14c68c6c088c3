import type { Digest } from '../oci/digest.ts'
import type { ProfileNotes, RecordFormat, Skipped } from './model.ts'
import type { Provenance } from './provenance.ts'

export type Labels = Readonly<Record<string, string>>

/** Where a record was published. */
export type Publication = { readonly reference: string; readonly digest: Digest; readonly createdAt: number }

/** A record without its entries. Moments are milliseconds since 1970. */
export type StoredRecord = {
  readonly id: string
  /** Of its record file. */
  readonly digest: Digest
  /** The profiled image, a reference or a digest. */
  readonly image?: string
  readonly workload?: string
  readonly labels: Labels
  readonly format: RecordFormat
  readonly entries: number
  readonly paths: number
  /** What of the profile is no entry. */
  readonly skipped: Skipped
  /** What whoever uploaded the profile should know of it. */
  readonly notes: ProfileNotes
  readonly profiler?: string
  readonly profilerVersion?: string
  /** Of a record that was made of others. */
  readonly provenance?: Provenance
  readonly createdAt: number
  readonly publications: readonly Publication[]
}
