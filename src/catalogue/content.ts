import type { Digest } from '../oci/digest.ts'
import type { RecordImageSummary } from '../records/images/record-image-summary.ts'

/** The annotations of one manifest that the catalogue keeps, in bytes of JSON. */
const MAX_ANNOTATION_BYTES = 16 * 1024
/** The longest text that the catalogue takes over from a manifest, in characters. */
const MAX_TEXT_LENGTH = 1000
/** The manifests of an index that the catalogue keeps. */
export const MAX_CHILDREN = 100

/** A manifest of an index. */
export type ChildManifest = { readonly digest: Digest; readonly platform?: string | undefined }

/** A record image, as its manifest and config describe it. */
export type RecordContent = Omit<RecordImageSummary, 'tag' | 'size'> & {
  readonly kind: 'record'
  /** In bytes; undefined before the registry was read. */
  readonly size?: number | undefined
}

/** An image, an index, or any other artifact. */
export type ImageContent = {
  readonly kind: 'image' | 'index' | 'artifact' | 'unknown'
  readonly mediaType?: string | undefined
  readonly artifactType?: string | undefined
  /** The size of all layers in bytes. */
  readonly size?: number | undefined
  /** Whether all layers can be read lazily, according to their annotations. */
  readonly estargz?: boolean | undefined
  readonly children?: readonly ChildManifest[] | undefined
  readonly subject?: Digest | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** Why the manifest cannot be read. */
  readonly problem?: string | undefined
}

/** What the catalogue knows of a manifest. */
export type Content = RecordContent | ImageContent

/**
 * Bounds what a registry wrote, so that no manifest makes the catalogue grow. A text that is too long is left out,
 * as is a number that is too large to be exact, such as the sum of sizes that a manifest made up.
 */
export function boundContent(content: Content): Content {
  const { annotations, ...fields } = content
  const bounded = Object.entries(fields).filter(([, value]) => isBounded(value))
  return {
    ...(Object.fromEntries(bounded) as typeof fields),
    ...(annotations && { annotations: boundAnnotations(annotations) }),
  } as Content
}

function isBounded(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value)
  return typeof value !== 'string' || value.length <= MAX_TEXT_LENGTH
}

/** Keeps the first annotations. */
function boundAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const kept: [string, string][] = []
  let bytes = 0
  for (const [name, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
    if (bytes > MAX_ANNOTATION_BYTES) break
    kept.push([name, value])
  }
  return Object.fromEntries(kept)
}
