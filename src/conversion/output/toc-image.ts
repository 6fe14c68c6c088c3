import type { Digest } from '../../oci/digest.ts'
import type { ExactJsonObject } from '../../oci/exact-json.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts'
import { LAYER_DIGEST_ANNOTATION, type SerializedDocument, serializeDocument } from './assemble-image.ts'

/** A blob with the table of contents of a layer. */
type ExternalToc = { readonly digest: Digest; readonly size: number; readonly diffId: Digest }

/**
 * Assembles the image that contains external tables of contents as its layers.
 * @param tocs by the digests of the layers that they belong to
 * @param annotate adds provenance annotations to the manifest
 */
export function assembleTocImage(
  tocs: ReadonlyMap<Digest, ExternalToc>,
  annotate: (manifest: ExactJsonObject) => ExactJsonObject,
): { readonly config: SerializedDocument; readonly manifest: SerializedDocument } {
  const sorted = [...tocs].toSorted(([, a], [, b]) => (a.digest < b.digest ? -1 : 1))
  const diffIds = sorted.map(([, { diffId }]) => diffId)
  const config = serializeDocument(OCI_CONFIG, { rootfs: { type: 'layers', diff_ids: diffIds } })
  const layers = sorted.map(([layerDigest, { digest, size }]) => ({
    mediaType: OCI_LAYER_GZIP,
    digest,
    size,
    annotations: { [LAYER_DIGEST_ANNOTATION]: layerDigest },
  }))
  const manifest = annotate({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers,
  })
  return { config, manifest: serializeDocument(OCI_MANIFEST, manifest) }
}
