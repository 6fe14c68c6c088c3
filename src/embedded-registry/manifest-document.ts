import { z } from 'zod'
import { DocumentError } from '../oci/document-error.ts'
import { parseDocument } from '../oci/documents.ts'
import { isIndexType, isManifestType, isNonDistributable } from '../oci/media-types.ts'
import { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'

/**
 * Looser than the broker's own documents: digests may be sha512, and fields that only readers need may be
 * missing.
 */
const ContentDescriptor = z.looseObject({
  mediaType: z.string(),
  digest: ContentDigest,
  size: z.int().nonnegative(),
})
type ContentDescriptor = z.infer<typeof ContentDescriptor>

const sharedFields = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: ContentDescriptor.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
}
const ManifestDocument = z.looseObject({
  ...sharedFields,
  config: ContentDescriptor,
  layers: z.array(ContentDescriptor).nullish(),
})
const IndexDocument = z.looseObject({ ...sharedFields, manifests: z.array(ContentDescriptor).nullish() })

/** The parts of a manifest or index that the registry uses. */
export type ManifestSummary = {
  readonly kind: 'manifest' | 'index'
  /** Content that must be in the repository: the blobs of a manifest, or the manifests of an index. */
  readonly references: readonly ContentDescriptor[]
  readonly subject?: ContentDigest
  /**
   * As in the referrers API: that of the document, or for a manifest without one the media type of its
   * config.
   */
  readonly artifactType?: string
  readonly annotations?: Record<string, string>
}

/**
 * Parses a manifest or index of a media type. Rejects a document with another `mediaType`, or with the fields
 * of both kinds (CVE-2021-41190).
 * @throws DistributionError MANIFEST_INVALID
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): ManifestSummary {
  try {
    return isIndexType(mediaType) ? parseIndex(bytes, mediaType) : parseImageManifest(bytes, mediaType)
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    throw invalidManifest(error.message)
  }
}

function parseIndex(bytes: Uint8Array, mediaType: string): ManifestSummary {
  const document = parseDocument(IndexDocument, bytes, 'the index')
  assertKind(document, mediaType, 'config' in document || 'layers' in document)
  return {
    kind: 'index',
    references: document.manifests ?? [],
    ...referrerFields(document, document.artifactType),
  }
}

function parseImageManifest(bytes: Uint8Array, mediaType: string): ManifestSummary {
  if (!isManifestType(mediaType))
    throw invalidManifest(`Content-Type ${JSON.stringify(mediaType)} is not a media type of manifests`)
  const document = parseDocument(ManifestDocument, bytes, 'the manifest')
  assertKind(document, mediaType, 'manifests' in document)
  const layers = (document.layers ?? []).filter((layer) => !isNonDistributable(layer.mediaType))
  const artifactType = document.artifactType || document.config.mediaType
  return {
    kind: 'manifest',
    references: [document.config, ...layers],
    ...referrerFields(document, artifactType),
  }
}

function referrerFields(
  document: z.infer<typeof IndexDocument>,
  artifactType: string | undefined,
): Pick<ManifestSummary, 'subject' | 'artifactType' | 'annotations'> {
  return {
    ...(document.subject && { subject: document.subject.digest }),
    ...(artifactType && { artifactType }),
    ...(document.annotations && { annotations: document.annotations }),
  }
}

/** @throws DistributionError MANIFEST_INVALID */
function assertKind(
  document: { mediaType?: string | undefined },
  mediaType: string,
  hasFieldsOfOtherKind: boolean,
): void {
  if (document.mediaType !== undefined && document.mediaType !== mediaType)
    throw invalidManifest(`the mediaType of the document is ${document.mediaType}, not ${mediaType} as sent`)
  if (hasFieldsOfOtherKind) throw invalidManifest('the document has the fields of a manifest and of an index')
}

function invalidManifest(message: string): DistributionError {
  return new DistributionError('MANIFEST_INVALID', 400, message)
}
