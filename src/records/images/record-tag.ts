import { type Digest, digestOf, hexOf } from '../../oci/digest.ts'
import type { Reference } from '../../oci/reference.ts'
import { profiledDigest, tryParseReference } from '../profiled-digest.ts'

const MAX_TAG_LENGTH = 128
const HASH_LENGTH = 8
const SHORT_DIGEST_LENGTH = 12

/**
 * Returns the tag of a record image in the same repository as other record images of its image:
 * `record-<tag>-<workload>`, with a short digest if the image has no tag. Characters that a tag cannot
 * contain are replaced, and a hash then keeps the tag unique.
 */
export function defaultRecordTag(image: Reference, workload: string): string {
  const name = `${tagPrefix(image)}-${workload}`
  const validName = name.replace(/[^a-zA-Z0-9_.-]+/g, '-').replace(/-+$/, '')
  if (validName === name && name.length <= MAX_TAG_LENGTH) return name
  const hash = hexOf(digestOf(name)).slice(0, HASH_LENGTH)
  return `${validName.slice(0, MAX_TAG_LENGTH - HASH_LENGTH - 1)}-${hash}`
}

function tagPrefix(image: Reference): string {
  const digest = image.digest === undefined ? undefined : hexOf(image.digest).slice(0, SHORT_DIGEST_LENGTH)
  return `record-${image.tag ?? digest ?? 'latest'}`
}

/** The properties of a record image that a query can match. */
type QueriedRecord = {
  readonly tag?: string | undefined
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly subject?: string | undefined
}

export type RecordQuery = {
  /** Without tag and digest, this matches every image of the repository. */
  readonly image?: Reference | undefined
  /** The digest of the image, in any repository. */
  readonly digest?: Digest | undefined
  readonly workload?: string | undefined
}

/**
 * Whether a record image belongs to an image and a workload. If it does not name them, as those of other
 * tools, its tag decides.
 */
export function isRecordOf(record: QueriedRecord, { image, digest, workload }: RecordQuery): boolean {
  if (digest !== undefined && !hasImageDigest(record, digest)) return false
  return matchesImage(record, image) && matchesWorkload(record, workload)
}

function hasImageDigest({ subject, image }: QueriedRecord, digest: Digest): boolean {
  return subject === digest || profiledDigest(image, []) === digest
}

function matchesWorkload({ workload, tag = '' }: QueriedRecord, queried: string | undefined): boolean {
  if (queried === undefined || workload !== undefined) return queried === undefined || workload === queried
  return tag.startsWith('record-') && tag.endsWith(`-${queried}`)
}

function matchesImage(record: QueriedRecord, queried: Reference | undefined): boolean {
  if (queried === undefined) return true
  if (queried.digest !== undefined) return hasImageDigest(record, queried.digest)
  const image = tryParseReference(record.image)
  if (image === undefined) {
    return queried.tag === undefined || record.tag?.startsWith(`${tagPrefix(queried)}-`) === true
  }
  if (image.host !== queried.host || image.repository !== queried.repository) return false
  return queried.tag === undefined || image.tag === queried.tag
}
