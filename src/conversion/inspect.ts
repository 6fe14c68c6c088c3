import { allOrAbort } from '../concurrency/all-or-abort.ts'
import { fetchToc } from '../estargz/toc/read-toc.ts'
import type { Descriptor } from '../oci/documents.ts'
import { layerCompression } from '../oci/media-types.ts'
import { LayerError } from '../tar/errors.ts'
import { ConversionError } from './errors.ts'
import { TOC_DIGEST_ANNOTATION } from './output/assemble-image.ts'
import type { ImageInspection, LayerInspection } from './report.ts'
import { RequestTally } from './request-bounds.ts'
import { ExternalTocs } from './source/external-tocs.ts'
import { type OpenedReference, openReference, readImages } from './source/images.ts'
import { type ImageServices, TABLES_AT_ONCE } from './source/list-layers.ts'
import { layerFailure } from './source/supported-layers.ts'

type InspectionServices = Pick<ImageServices, 'registries' | 'threads' | 'limits' | 'bounds'>

/**
 * What an image shows of itself: manifests, configs, and footers and tables of contents of its layers by ranged
 * requests. No layer is read whole.
 * @throws RegistryError; DocumentError; ConversionError NOT_AN_IMAGE, LIMIT_EXCEEDED
 */
export async function inspectImage(
  reference: string,
  services: InspectionServices,
  signal: AbortSignal,
): Promise<ImageInspection> {
  const tally = new RequestTally(services.bounds)
  const opened = await openReference(services.registries, reference, signal)
  const { images, attestations, others } = await readImages(opened, undefined, tally, signal)
  const tocs = new ExternalTocs(opened.repository, opened.reference, services.limits)
  const inspected: ImageInspection['images'] = []
  for (const { platform, descriptor, manifest } of images) {
    const layers = await allOrAbort(
      manifest.layers,
      signal,
      (layer, _, either) => inspectLayer({ opened, tocs, services, tally, signal: either }, layer),
      TABLES_AT_ONCE,
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

type Inspection = {
  readonly opened: OpenedReference
  readonly tocs: ExternalTocs
  readonly services: InspectionServices
  readonly tally: RequestTally
  readonly signal: AbortSignal
}

async function inspectLayer(
  { opened: { repository }, tocs, services, tally, signal }: Inspection,
  layer: Descriptor,
): Promise<LayerInspection> {
  const { limits, threads } = services
  const { digest, size, mediaType } = layer
  const annotated = layer.annotations?.[TOC_DIGEST_ANNOTATION]
  const plain = { digest, size, mediaType, estargz: false }
  if (layerCompression(mediaType) === 'none') return plain
  try {
    const readRange = (start: number, end: number) => repository.blobRange(layer, start, end, { signal })
    const externalToc = () => tocs.of(digest, signal)
    const toc = await fetchToc({ size, readRange, limits, externalToc })
    const { view } = await threads.run({ kind: 'toc', limits, toc, list: false }, { signal })
    tally.layer(view.entryCount, 0)
    return {
      ...plain,
      estargz: true,
      format: view.compression === 'zstd' ? 'zstd-chunked' : 'estargz',
      ...(view.externalToc && { externalToc: true }),
      tocDigest: view.tocDigest,
      tocDigestAnnotated: annotated === view.tocDigest,
      entries: view.entryCount,
      ...(view.landmark && { landmark: view.landmark }),
      prefetchBytes: view.landmark === 'prefetch' ? (view.landmarkOffset ?? 0) : 0,
      prioritized: view.prioritized,
      ...(annotated !== undefined &&
        annotated !== view.tocDigest && {
          problem: `the manifest names the table of contents ${annotated}, the layer has ${view.tocDigest}`,
        }),
    }
  } catch (error) {
    const failure = layerFailure(layer, error)
    if (failure instanceof ConversionError && failure !== error) return { ...plain, problem: failure.message }
    // A bound that is passed is no statement about the layer.
    if (!(error instanceof LayerError) || error.code === 'LIMIT_EXCEEDED') throw error
    if (error.code === 'NOT_ESTARGZ' && annotated === undefined) return plain
    return { ...plain, problem: error.message }
  }
}
