import type { CompressionPolicy } from '../../compression/layer-coder.ts'
import type { BlobFormat } from '../../estargz/blob-format.ts'
import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'

/**
 * Changes whenever the same input would come out as other bytes, manifests included, so that what was cached before is not
 * believed.
 */
export const OUTPUT_VERSION = 8

/** What a converted layer depends on. */
export type LayerKey = {
  /** Source and options. */
  readonly base: Digest
  /** These, the prioritized entries in their order, and the directories that the layer gets. */
  readonly exact: Digest
}

/** @param source the size, too: a descriptor that lies about it is no other layer's */
export function layerKey(
  source: { readonly digest: Digest; readonly size: number },
  o: { readonly format: BlobFormat; readonly compression: CompressionPolicy },
  prioritized: readonly string[],
  added: readonly AddedDirectory[],
): LayerKey {
  const { format, compression } = o
  const base = digestOf(
    JSON.stringify([
      OUTPUT_VERSION,
      source.digest,
      source.size,
      [format.compression, format.externalToc, format.lossless],
      [format.chunkSize, format.minChunkSize, format.tarSplit],
      [compression.method, compression.level],
    ]),
  )
  return { base, exact: digestOf(JSON.stringify([base, prioritized, added])) }
}
