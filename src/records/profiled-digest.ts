import { type Digest, isDigest } from '../oci/digest.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import type { RecordEntry } from './model.ts'

/**
 * Returns the digest of the image that a record was made of: the one that the uploader named, or the one that
 * all entries name. A tag alone is not enough, because it may have moved.
 */
export function profiledDigest(
  image: string | undefined,
  entries: readonly RecordEntry[],
): Digest | undefined {
  const named = image === undefined || isDigest(image) ? image : tryParseReference(image)?.digest
  if (named !== undefined) return named
  const [first, ...others] = new Set(entries.map(({ manifestDigest }) => manifestDigest))
  return others.length === 0 ? first : undefined
}

/** Returns the digests of the image that a record image belongs to: its subject, and the one that its name has. */
export function imageDigestsOf({
  subject,
  image,
}: {
  readonly subject?: Digest | undefined
  readonly image?: string | undefined
}): Digest[] {
  return [subject, profiledDigest(image, [])].filter((digest) => digest !== undefined)
}

/**
 * Parses a reference; undefined for a digest and for any other text. Annotations may contain arbitrary text.
 */
export function tryParseReference(text: string | undefined): Reference | undefined {
  if (text === undefined || isDigest(text)) return undefined
  try {
    return parseReference(text)
  } catch {
    return undefined
  }
}
