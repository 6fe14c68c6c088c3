import { type Digest, isDigest } from '../oci/digest.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import type { RecordEntry } from './model.ts'

/**
 * The digest of the image that a record was made of: as the uploader says, or as all entries of the profiler say.
 * Undefined where nobody does; a tag alone may have moved.
 */
export function profiledDigest(
  image: string | undefined,
  entries: readonly RecordEntry[],
): Digest | undefined {
  const said = image === undefined || isDigest(image) ? image : tryParseReference(image)?.digest
  if (said !== undefined) return said
  const [first, ...others] = new Set(entries.map(({ manifestDigest }) => manifestDigest))
  return others.length === 0 ? first : undefined
}

/** The image that a text names, where it is a reference: annotations are anybody's text. */
export function tryParseReference(text: string | undefined): Reference | undefined {
  if (text === undefined || isDigest(text)) return undefined
  try {
    return parseReference(text)
  } catch {
    return undefined
  }
}
