import type { CompressionPolicy } from '../../compression/layer-coder.ts'
import type { BlobFormat } from '../../estargz/blob-format.ts'
import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'

/**
 * The version of the output for the same input, manifests included. Increment it with every change of the
 * output bytes, so that results cached by earlier versions are not reused.
 */
export const OUTPUT_VERSION = 8

/** How the layers of a conversion are written. */
export type LayerOutputSettings = {
  readonly limits: LayerLimits
  readonly format: BlobFormat
  readonly compression: CompressionPolicy
}

/** Identifies a converted layer by its inputs. */
export type LayerKey = {
  /** The digest of the source layer and the options. */
  readonly base: Digest
  /** The digest of `base`, the prioritized entries in their order, and the directories added to the layer. */
  readonly exact: Digest
}

/**
 * @param source its size is part of the key, so that a descriptor with a wrong size matches no cached layer
 */
export function computeLayerKey(
  source: { readonly digest: Digest; readonly size: number },
  { format, compression }: Pick<LayerOutputSettings, 'format' | 'compression'>,
  prioritized: readonly string[] = [],
  added: readonly AddedDirectory[] = [],
): LayerKey {
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
