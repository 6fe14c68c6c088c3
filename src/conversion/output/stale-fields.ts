import type { ExactJsonObject } from '../../oci/exact-json.ts'

/**
 * Annotations that describe the bytes of a layer: those of eStargz and zstd:chunked, of snapshotters (nydus,
 * overlaybd and its turboOCI, and what container runtimes add), of SOCI, and of Harbor's acceleration
 * service.
 */
const STALE_ANNOTATION =
  /^(containerd\.io\/(snapshot[./]|uncompressed$)|io\.containers\.estargz\.|io\.(github\.)?containers\.zstd-chunked\.|com\.amazon\.soci\.|io\.goharbor\.artifact\.v1alpha1\.acceleration\.)/
/**
 * Fields of a descriptor (image-spec 1.1 "Content Descriptors") that embed its content or locate it
 * elsewhere.
 */
const STALE_FIELDS = ['data', 'urls']

/** A document or descriptor without its stale fields, and the names of these. */
export type StrippedDocument = {
  readonly remaining: ExactJsonObject
  readonly removedNames: readonly string[]
}

/**
 * Removes the fields and annotations of a descriptor that are no longer true once its content is replaced.
 */
export function stripStaleFields(descriptor: ExactJsonObject): StrippedDocument {
  const removedFields = STALE_FIELDS.filter((name) => descriptor[name] !== undefined)
  const fields = Object.entries(descriptor).filter(([name]) => !STALE_FIELDS.includes(name))
  const { remaining, removedNames } = stripStaleAnnotations(Object.fromEntries(fields))
  return { remaining, removedNames: [...removedFields, ...removedNames] }
}

/**
 * Removes the annotations of a manifest, index or descriptor that are no longer true once its content is
 * replaced.
 */
export function stripStaleAnnotations(document: ExactJsonObject): StrippedDocument {
  const annotations = Object.entries((document.annotations ?? {}) as ExactJsonObject)
  const removedNames = annotations.filter(([key]) => STALE_ANNOTATION.test(key)).map(([key]) => key)
  if (removedNames.length === 0) return { remaining: document, removedNames }
  const kept = Object.fromEntries(annotations.filter(([key]) => !removedNames.includes(key)))
  return { remaining: { ...document, annotations: kept }, removedNames }
}
