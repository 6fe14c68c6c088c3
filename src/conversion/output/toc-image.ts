import type { Digest } from '../../oci/digest.ts'
import type { ExactObject } from '../../oci/exact-json.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts'
import { type Document, documentOf, LAYER_DIGEST_ANNOTATION } from './assemble-image.ts'

/** A table of contents that lies outside of its layer. */
type OuterToc = { readonly digest: Digest; readonly size: number; readonly diffId: Digest }

/**
 * The image of tables of contents that lie outside of their layers.
 * @param tables by the digests of their layers
 * @param describe adds what the manifest was made of
 */
export function assembleTocImage(
  tables: ReadonlyMap<Digest, OuterToc>,
  describe: (manifest: ExactObject) => ExactObject,
): { readonly config: Document; readonly manifest: Document } {
  const sorted = [...tables].toSorted(([, a], [, b]) => (a.digest < b.digest ? -1 : 1))
  const diffIds = sorted.map(([, { diffId }]) => diffId)
  const config = documentOf(OCI_CONFIG, { rootfs: { type: 'layers', diff_ids: diffIds } })
  const layers = sorted.map(([layer, { digest, size }]) => ({
    mediaType: OCI_LAYER_GZIP,
    digest,
    size,
    annotations: { [LAYER_DIGEST_ANNOTATION]: layer },
  }))
  const manifest = describe({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers,
  })
  return { config, manifest: documentOf(OCI_MANIFEST, manifest) }
}
