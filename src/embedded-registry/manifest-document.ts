import { z } from 'zod'
import { DocumentError, parseDocument } from '../oci/documents.ts'
import { isIndexType, isManifestType, isNonDistributable } from '../oci/media-types.ts'
import { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'

const Annotations = z.record(z.string(), z.string()).nullish()
const Target = z.looseObject({ mediaType: z.string(), digest: ContentDigest, size: z.int().nonnegative() })
const Common = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: Target.nullish(),
  annotations: Annotations,
}
/** Looser than the broker's own documents: digests may be sha512, and what only a reader needs is not asked for. */
const ManifestDocument = z.looseObject({ ...Common, config: Target, layers: z.array(Target).nullish() })
const IndexDocument = z.looseObject({ ...Common, manifests: z.array(Target).nullish() })

type Target = z.infer<typeof Target>

/** What the registry must know of a manifest or index. */
export type ManifestFacts = {
  /** content that must be in the repository, blobs of a manifest or manifests of an index */
  readonly needs: readonly Target[]
  readonly kind: 'manifest' | 'index'
  readonly subject?: ContentDigest
  /** as the referrers API shows it: an index's own, a manifest's own or else its config's media type */
  readonly artifactType?: string
  readonly annotations?: Record<string, string>
}

/**
 * Reads a manifest or index that is served as this media type. One that calls itself something else, or has
 * the fields of both, is refused (CVE-2021-41190).
 * @throws DistributionError MANIFEST_INVALID
 */
export function readManifest(bytes: Uint8Array, mediaType: string): ManifestFacts {
  try {
    return isIndexType(mediaType) ? readIndex(bytes, mediaType) : readImage(bytes, mediaType)
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    throw invalid(error.message)
  }
}

function readIndex(bytes: Uint8Array, mediaType: string): ManifestFacts {
  const document = parseDocument(IndexDocument, bytes, 'the index')
  checkKind(document, mediaType, 'config' in document || 'layers' in document)
  return { kind: 'index', needs: document.manifests ?? [], ...shared(document, document.artifactType) }
}

function readImage(bytes: Uint8Array, mediaType: string): ManifestFacts {
  if (!isManifestType(mediaType)) throw invalid(`${JSON.stringify(mediaType)} is no media type of a manifest`)
  const document = parseDocument(ManifestDocument, bytes, 'the manifest')
  checkKind(document, mediaType, 'manifests' in document)
  const layers = (document.layers ?? []).filter((layer) => !isNonDistributable(layer.mediaType))
  const artifactType = document.artifactType || document.config.mediaType
  return { kind: 'manifest', needs: [document.config, ...layers], ...shared(document, artifactType) }
}

function shared(
  document: z.infer<typeof IndexDocument>,
  artifactType: string | undefined,
): Pick<ManifestFacts, 'subject' | 'artifactType' | 'annotations'> {
  return {
    ...(document.subject && { subject: document.subject.digest }),
    ...(artifactType && { artifactType }),
    ...(document.annotations && { annotations: document.annotations }),
  }
}

function checkKind(document: { mediaType?: string | undefined }, mediaType: string, misfit: boolean): void {
  if (document.mediaType !== undefined && document.mediaType !== mediaType)
    throw invalid(`the document calls itself ${document.mediaType}, but is sent as ${mediaType}`)
  if (misfit) throw invalid('the document has the fields of a manifest and of an index')
}

function invalid(message: string): DistributionError {
  return new DistributionError('MANIFEST_INVALID', 400, message)
}
