import { type Digest, digestOf, hexOf } from '../../oci/digest.ts'
import type { Reference } from '../../oci/reference.ts'
import { profiledDigest, tryParseReference } from '../profiled-digest.ts'

const MAX_TAG_LENGTH = 128
const HASH_LENGTH = 8
const SHORT_DIGEST_LENGTH = 12

/**
 * The tag of a record image beside its image: `record-<tag>-<workload>`, with a short digest where the image has no
 * tag. Text that a tag cannot hold is changed, and a hash keeps two such names apart.
 */
export function defaultRecordTag(image: Reference, workload: string): string {
  const exact = `${tagPrefix(image)}-${workload}`
  const fitting = exact.replace(/[^a-zA-Z0-9_.-]+/g, '-').replace(/-+$/, '')
  if (fitting === exact && exact.length <= MAX_TAG_LENGTH) return exact
  const hash = hexOf(digestOf(exact)).slice(0, HASH_LENGTH)
  return `${fitting.slice(0, MAX_TAG_LENGTH - HASH_LENGTH - 1)}-${hash}`
}

function tagPrefix(image: Reference): string {
  const digest = image.digest === undefined ? undefined : hexOf(image.digest).slice(0, SHORT_DIGEST_LENGTH)
  return `record-${image.tag ?? digest ?? 'latest'}`
}

/** What is known of a record image when one is looked for. */
type Described = {
  readonly tag?: string | undefined
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly subject?: string | undefined
}

/** `digest`: of the image alone, wherever it lies. */
export type RecordQuery = {
  readonly image?: Reference | undefined
  readonly digest?: Digest | undefined
  readonly workload?: string | undefined
}

/**
 * Whether a record image is of an image and a workload. Images that do not say so themselves, as those of other
 * tools, are judged by their tag. An image asked for without tag and digest means every one of its repository.
 */
export function isRecordOf(record: Described, { image, digest, workload }: RecordQuery): boolean {
  if (digest !== undefined && !isOfDigest(record, digest)) return false
  return isOfImage(record, image) && isOfWorkload(record, workload)
}

function isOfDigest({ subject, image }: Described, digest: Digest): boolean {
  return subject === digest || profiledDigest(image, []) === digest
}

function isOfWorkload({ workload, tag = '' }: Described, wanted: string | undefined): boolean {
  if (wanted === undefined || workload !== undefined) return wanted === undefined || workload === wanted
  return tag.startsWith('record-') && tag.endsWith(`-${wanted}`)
}

function isOfImage(record: Described, wanted: Reference | undefined): boolean {
  if (wanted === undefined) return true
  if (wanted.digest !== undefined) return isOfDigest(record, wanted.digest)
  const said = tryParseReference(record.image)
  if (said === undefined) {
    return wanted.tag === undefined || record.tag?.startsWith(`${tagPrefix(wanted)}-`) === true
  }
  if (said.host !== wanted.host || said.repository !== wanted.repository) return false
  return wanted.tag === undefined || said.tag === wanted.tag
}
