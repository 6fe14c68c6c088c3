import type { ExactObject } from '../../oci/exact-json.ts'

/**
 * Annotations that describe bytes which a conversion replaces: those of eStargz and zstd:chunked, of snapshotters (nydus,
 * overlaybd and its turbo OCI, the ones that containers' runtimes leave), of SOCI, and of Harbor's acceleration service.
 */
const OF_BYTES =
  /^(containerd\.io\/(snapshot[./]|uncompressed$)|io\.containers\.estargz\.|io\.(github\.)?containers\.zstd-chunked\.|com\.amazon\.soci\.|io\.goharbor\.artifact\.v1alpha1\.acceleration\.)/
/** Members of a descriptor (image-spec 1.1 "Content Descriptors") that hold the bytes, or say where else they lie. */
const BYTES_ELSEWHERE = ['data', 'urls']

/** What is left of a description of bytes that are gone, and what it lost, by name. */
export type Stripped = { readonly rest: ExactObject; readonly removed: readonly string[] }

/** Takes off a descriptor what is no longer true when its bytes are replaced. */
export function stripDescriptor(descriptor: ExactObject): Stripped {
  const lost = BYTES_ELSEWHERE.filter((name) => descriptor[name] !== undefined)
  const others = Object.entries(descriptor).filter(([name]) => !BYTES_ELSEWHERE.includes(name))
  const { rest, removed } = stripAnnotations(Object.fromEntries(others))
  return { rest, removed: [...lost, ...removed] }
}

/** Takes annotations off a manifest, an index or a descriptor that are no longer true when what they describe is replaced. */
export function stripAnnotations(document: ExactObject): Stripped {
  const annotations = Object.entries((document.annotations ?? {}) as ExactObject)
  const removed = annotations.filter(([key]) => OF_BYTES.test(key)).map(([key]) => key)
  if (removed.length === 0) return { rest: document, removed }
  const kept = Object.fromEntries(annotations.filter(([key]) => !removed.includes(key)))
  return { rest: { ...document, annotations: kept }, removed }
}
