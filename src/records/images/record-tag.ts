import { digestOf, hexOf } from '../../oci/digest.ts'
import type { Reference } from '../../oci/reference.ts'

const MAX_TAG_LENGTH = 128
const HASH_LENGTH = 8
const SHORT_DIGEST_LENGTH = 12

/**
 * Returns the tag of a record image in the same repository as other record images of its image:
 * `record-<tag>-<workload>`, with a short digest if the image has no tag. Characters that a tag cannot
 * contain are replaced, and a hash then keeps the tag unique.
 */
export function defaultRecordTag(image: Reference, workload: string): string {
  const digest = image.digest === undefined ? undefined : hexOf(image.digest).slice(0, SHORT_DIGEST_LENGTH)
  const name = `record-${image.tag ?? digest ?? 'latest'}-${workload}`
  const validName = name.replace(/[^a-zA-Z0-9_.-]+/g, '-').replace(/-+$/, '')
  if (validName === name && name.length <= MAX_TAG_LENGTH) return name
  const hash = hexOf(digestOf(name)).slice(0, HASH_LENGTH)
  return `${validName.slice(0, MAX_TAG_LENGTH - HASH_LENGTH - 1)}-${hash}`
}

/**
 * Whether a record image belongs to a workload. If it names none, as those of other tools, its tag decides.
 * @param queried undefined for any
 */
export function isOfWorkload(
  { workload, tag = '' }: { readonly tag?: string | undefined; readonly workload?: string | undefined },
  queried: string | undefined,
): boolean {
  if (queried === undefined || workload !== undefined) return queried === undefined || workload === queried
  return tag.startsWith('record-') && tag.endsWith(`-${queried}`)
}
