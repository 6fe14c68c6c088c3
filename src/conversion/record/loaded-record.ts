import type { Digest } from '../../oci/digest.ts'
import type { RecordEntry } from '../../records/model.ts'
import type { RecordOrigin } from '../../records/resolve/record-use.ts'
import type { Image } from '../source/image.ts'

/** The entries of a record, and what the record says about the image that was profiled. */
export type LoadedRecord = {
  readonly entries: readonly RecordEntry[]
  /** The profiled image: a reference, a digest, or any other text that the uploader chose. */
  readonly image?: string | undefined
  readonly workload?: string | undefined
  /** When the record was created, RFC 3339. */
  readonly createdAt?: string | undefined
  /** The digest of the profiled image, used if neither `image` nor the entries have one. */
  readonly imageDigest?: Digest | undefined
  /** Why the profiled image is unknown, if the source of the record implies that. */
  readonly profiledImageUnknown?: string | undefined
  /** The record image that the record was matched from. */
  readonly origin?: RecordOrigin | undefined
}

/** Returns the record to apply to an image of the source. */
export type RecordSelector = (image: Image) => LoadedRecord
