import { allOrAbort } from '../concurrency/all-or-abort.ts'
import type { TocSummary } from '../estargz/read/read-toc.ts'
import type { Descriptor } from '../oci/documents.ts'
import { layerCompression } from '../oci/media-types.ts'
import type { Repository } from '../registry/repository.ts'
import { LayerError } from '../tar/layer-error.ts'
import { ConversionError } from './errors.ts'
import { TOC_DIGEST_ANNOTATION } from './output/assemble-image.ts'
import type { ImageInspection, LayerInspection } from './report.ts'
import { RequestTally } from './request-bounds.ts'
import type { ConversionServices } from './services.ts'
import { ExternalTocs } from './source/external-tocs.ts'
import { ImageReader } from './source/image-reader.ts'
import { explainLayerError } from './source/supported-layers.ts'
import { MAX_CONCURRENT_TOCS, TocReader } from './source/toc-reader.ts'

type InspectionServices = Pick<ConversionServices, 'registries' | 'threads' | 'limits' | 'bounds'>

/** How many layers an inspection has to look at, and at how many it has looked. */
export type InspectionProgress = { readonly layerCount: number; readonly doneLayerCount: number }

/**
 * Inspects an image by its manifests, its configs, and the footers and tables of contents of its layers,
 * which are fetched by ranged requests. No layer is downloaded in full.
 * @throws RegistryError; DocumentError; ConversionError NOT_AN_IMAGE, LIMIT_EXCEEDED
 */
export async function inspectImage(
  reference: string,
  { registries, threads, limits, bounds }: InspectionServices,
  signal: AbortSignal,
  onProgress?: (progress: InspectionProgress) => void,
): Promise<ImageInspection> {
  const tally = new RequestTally(bounds)
  const reader = new ImageReader({ registries, tally, signal })
  const opened = await reader.open(reference)
  const { images, attestations, others } = await reader.read(opened, undefined)
  const inspector = new LayerInspector({
    repository: opened.repository,
    tocs: new TocReader({ threads, limits }),
    externalTocs: new ExternalTocs(opened.repository, opened.reference, limits),
    tally,
  })
  const layerCount = images.reduce((sum, { manifest }) => sum + manifest.layers.length, 0)
  let doneLayerCount = 0
  const inspect = async (layer: Descriptor, layerSignal: AbortSignal): Promise<LayerInspection> => {
    const inspection = await inspector.inspect(layer, layerSignal)
    doneLayerCount += 1
    onProgress?.({ layerCount, doneLayerCount })
    return inspection
  }
  const inspected: ImageInspection['images'] = []
  for (const { platform, descriptor, manifest } of images) {
    const layers = await allOrAbort(
      manifest.layers,
      signal,
      (layer, _, layerSignal) => inspect(layer, layerSignal),
      MAX_CONCURRENT_TOCS,
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

type LayerInspectorOptions = {
  readonly repository: Repository
  readonly tocs: TocReader
  readonly externalTocs: ExternalTocs
  readonly tally: RequestTally
}

/** Inspects the layers of the images behind one reference. */
class LayerInspector {
  readonly #options: LayerInspectorOptions

  constructor(options: LayerInspectorOptions) {
    this.#options = options
  }

  async inspect(layer: Descriptor, signal: AbortSignal): Promise<LayerInspection> {
    const { digest, size, mediaType } = layer
    const annotatedDigest = layer.annotations?.[TOC_DIGEST_ANNOTATION]
    const base = { digest, size, mediaType, estargz: false }
    if (layerCompression(mediaType) === 'none') return base
    const { repository, tocs, externalTocs, tally } = this.#options
    try {
      const { view } = await tocs.read(repository, layer, { listEntries: false, externalTocs, signal })
      tally.countLayer(view.entryCount, 0)
      return { ...base, ...describeToc(view, annotatedDigest) }
    } catch (error) {
      const explained = explainLayerError(layer, error)
      if (explained instanceof ConversionError && explained !== error) {
        return { ...base, problem: explained.message }
      }
      // An exceeded bound says nothing about the layer.
      if (!(error instanceof LayerError) || error.code === 'LIMIT_EXCEEDED') throw error
      if (error.code === 'NOT_ESTARGZ' && annotatedDigest === undefined) return base
      return { ...base, problem: error.message }
    }
  }
}

/** @param annotatedDigest the digest of the table of contents in the manifest */
function describeToc(
  view: TocSummary,
  annotatedDigest: string | undefined,
): Omit<LayerInspection, 'digest' | 'size' | 'mediaType'> {
  return {
    estargz: true,
    format: view.compression === 'zstd' ? 'zstd-chunked' : 'estargz',
    ...(view.externalToc && { externalToc: true }),
    tocDigest: view.tocDigest,
    tocDigestAnnotated: annotatedDigest === view.tocDigest,
    entryCount: view.entryCount,
    ...(view.landmark && { landmark: view.landmark }),
    prefetchBytes: view.landmark === 'prefetch' ? (view.landmarkOffset ?? 0) : 0,
    prioritizedFiles: view.prioritized,
    ...(annotatedDigest !== undefined &&
      annotatedDigest !== view.tocDigest && {
        problem: `the manifest has the TOC digest ${annotatedDigest}, but the layer has ${view.tocDigest}`,
      }),
  }
}
