import { LayerError } from '../estargz/errors.ts'
import { openEStargz } from '../estargz/read.ts'
import type { Descriptor } from '../oci/documents.ts'
import { layerCompression } from '../oci/media-types.ts'
import type { Repository } from '../registry/repository.ts'
import { TOC_DIGEST_ANNOTATION } from './assemble.ts'
import type { ConversionServices } from './context.ts'
import { ExternalTocs } from './external-tocs.ts'
import { openReference, readImages } from './image.ts'
import type { ImageInspection, LayerInspection } from './report.ts'
import { together } from './together.ts'

/**
 * What an image shows of itself: manifests, configs, and footers and tables of contents of its layers by ranged
 * requests. No layer is read whole.
 * @throws RegistryError; DocumentError; ConversionError NOT_AN_IMAGE
 */
export async function inspectImage(
  reference: string,
  { registries, limits }: Pick<ConversionServices, 'registries' | 'limits'>,
  signal: AbortSignal,
): Promise<ImageInspection> {
  const opened = await openReference(registries, reference, signal)
  const { images, attestations, others } = await readImages(opened, undefined, signal)
  const tocs = new ExternalTocs(opened.repository, opened.reference, limits.maxTocBytes)
  const inspected: ImageInspection['images'] = []
  for (const { platform, descriptor, manifest } of images) {
    const layers = await together(manifest.layers, signal, (layer, _, either) =>
      inspectLayer(opened.repository, layer, tocs, limits, either),
    )
    const size = layers.reduce((total, layer) => total + layer.size, 0)
    inspected.push({ platform, digest: descriptor.digest, size, layers })
  }
  return {
    reference: opened.pinned,
    digest: opened.descriptor.digest,
    mediaType: opened.descriptor.mediaType,
    images: inspected,
    others: [...others, ...attestations.map(({ digest }) => ({ digest, reason: 'an attestation' }))],
  }
}

async function inspectLayer(
  repository: Repository,
  layer: Descriptor,
  tocs: ExternalTocs,
  limits: ConversionServices['limits'],
  signal: AbortSignal,
): Promise<LayerInspection> {
  const { digest, size, mediaType } = layer
  const annotated = layer.annotations?.[TOC_DIGEST_ANNOTATION]
  const plain = { digest, size, mediaType, estargz: false }
  if (layerCompression(mediaType) === 'none') return plain
  try {
    const readRange = (start: number, end: number) => repository.blobRange(layer, start, end, { signal })
    const externalToc = () => tocs.of(digest, signal)
    const opened = await openEStargz({ size, readRange, limits, externalToc })
    return {
      ...plain,
      estargz: true,
      format: opened.packing === 'zstd' ? 'zstd-chunked' : 'estargz',
      ...(opened.externalToc && { externalToc: true }),
      tocDigest: opened.tocDigest,
      tocDigestAnnotated: annotated === opened.tocDigest,
      entries: opened.toc.entries.filter((entry) => entry.type !== 'chunk').length,
      ...(opened.landmark && { landmark: opened.landmark }),
      prefetchBytes: opened.landmark === 'prefetch' ? (opened.landmarkOffset ?? 0) : 0,
      prioritized: opened.prioritized,
      ...(annotated !== undefined &&
        annotated !== opened.tocDigest && {
          problem: `the manifest names the table of contents ${annotated}, the layer has ${opened.tocDigest}`,
        }),
    }
  } catch (error) {
    if (!(error instanceof LayerError)) throw error
    if (error.code === 'NOT_ESTARGZ' && annotated === undefined) return plain
    return { ...plain, problem: error.message }
  }
}
