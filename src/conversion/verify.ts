import { VerificationError } from '../bytes/verify.ts'
import { allOrAbort } from '../concurrency/all-or-abort.ts'
import type { ArchiveMetadata } from '../estargz/index/archive-metadata.ts'
import type { Descriptor } from '../oci/documents.ts'
import type { Repository } from '../registry/repository.ts'
import { LayerError } from '../tar/layer-error.ts'
import { ConversionError, withSide } from './errors.ts'
import { MANIFEST_CHECKSUM_ANNOTATION, TOC_DIGEST_ANNOTATION } from './output/assemble-image.ts'
import type { VerificationProgress, VerificationReport, VerifiedLayer } from './report.ts'
import type { VerificationRequest } from './request.ts'
import { RequestTally } from './request-bounds.ts'
import type { ConversionServices } from './services.ts'
import { ExternalTocs } from './source/external-tocs.ts'
import { findCounterpart, type Image } from './source/image.ts'
import { ImageReader } from './source/image-reader.ts'
import { explainLayerError } from './source/supported-layers.ts'

/** The maximum length of a problem in a report. */
const MAX_PROBLEM_CHARACTERS = 1000

type VerificationServices = Pick<ConversionServices, 'registries' | 'threads' | 'limits' | 'bounds'>
type VerificationOptions = {
  readonly signal: AbortSignal
  /** Called at every change with the same, updated object. */
  readonly onProgress?: (progress: VerificationProgress) => void
}

/**
 * Verifies every byte of every layer of an eStargz image. If the request names the source that the image was
 * converted from, the root file systems of both are compared. Problems of the image are returned in the
 * report.
 * @throws SideError for registry and document errors, and ConversionError, if the image could not be verified
 */
export async function runVerification(
  request: VerificationRequest,
  services: VerificationServices,
  { signal, onProgress }: VerificationOptions,
): Promise<VerificationReport> {
  const startedAt = performance.now()
  const verification = new Verification(services, signal, onProgress)
  const report = await verification.run(request)
  return { ...report, durationMs: Math.round(performance.now() - startedAt) }
}

/** The images behind a reference, and their external tables of contents. */
type OpenedImages = {
  readonly repository: Repository
  readonly pinned: string
  readonly images: readonly Image[]
  readonly tocs: ExternalTocs
}

class Verification {
  readonly #services: VerificationServices
  readonly #tally: RequestTally
  readonly #images: ImageReader
  readonly #signal: AbortSignal
  readonly #notify: () => void
  readonly #progress = { layerCount: 0, doneLayerCount: 0, totalBytes: 0, readBytes: 0 }

  constructor(
    services: VerificationServices,
    signal: AbortSignal,
    listener: VerificationOptions['onProgress'],
  ) {
    this.#services = services
    this.#tally = new RequestTally(services.bounds)
    this.#images = new ImageReader({ registries: services.registries, tally: this.#tally, signal })
    this.#signal = signal
    this.#notify = () => listener?.(this.#progress)
  }

  async run(request: VerificationRequest): Promise<Omit<VerificationReport, 'durationMs'>> {
    const { reference, source, platforms } = request
    const verifiedImages = await withSide('target', () => this.#read(reference, platforms))
    await withSide('target', async () =>
      this.#tally.assertReportLayers(verifiedImages.images, verifiedImages.pinned),
    )
    const sourceImages =
      source === undefined ? undefined : await withSide('source', () => this.#read(source, platforms))
    const images: VerificationReport['images'] = []
    for (const image of verifiedImages.images) {
      const sourceImage = sourceImages && getCounterpart(image, sourceImages)
      const results = await this.#verifyLayers(verifiedImages, image, sourceImage !== undefined)
      const archives = results.flatMap(({ metadata }) => metadata ?? [])
      // Layers with problems have no metadata: they cannot be compared, and the report names their problems.
      const differences =
        sourceImages && sourceImage && archives.length === results.length
          ? await this.#compare(sourceImages.repository, sourceImage, archives)
          : undefined
      images.push({
        platform: image.platform,
        digest: image.descriptor.digest,
        layers: results.map(({ layer }) => layer),
        ...(differences && { differences }),
      })
    }
    const verified = images.every(
      (image) =>
        image.layers.every((layer) => layer.problem === undefined) && (image.differences ?? []).length === 0,
    )
    return { reference: verifiedImages.pinned, verified, images }
  }

  async #read(reference: string, platforms: readonly string[] | undefined): Promise<OpenedImages> {
    const opened = await this.#images.open(reference)
    const { images } = await this.#images.read(opened, platforms)
    const tocs = new ExternalTocs(opened.repository, opened.reference, this.#services.limits)
    return { repository: opened.repository, pinned: opened.pinned, images, tocs }
  }

  /**
   * @param returnMetadata whether to return the metadata of the archives, too; layers with problems have none
   */
  #verifyLayers(
    { repository, tocs }: OpenedImages,
    image: Image,
    returnMetadata: boolean,
  ): Promise<{ layer: VerifiedLayer; metadata?: ArchiveMetadata }[]> {
    return this.#forEachLayer(image, async (layer, i, signal) => {
      const expected = {
        tocDigest: layer.annotations?.[TOC_DIGEST_ANNOTATION],
        tocFrameDigest: layer.annotations?.[MANIFEST_CHECKSUM_ANNOTATION],
        diffId: image.config.rootfs.diff_ids[i],
      }
      const isAnnotated = expected.tocDigest !== undefined || expected.tocFrameDigest !== undefined
      const base = { digest: layer.digest, size: layer.size }
      try {
        const externalToc = await tocs.read(layer.digest, signal)
        const blob = await this.#services.threads.run(
          {
            kind: 'verify',
            limits: this.#services.limits,
            expected,
            externalToc,
            returnMetadata,
          },
          { input: async () => this.#countReads(await repository.openBlob(layer, { signal })), signal },
        )
        this.#tally.countLayer(blob.entries, blob.uncompressedSize)
        const verified = {
          ...base,
          tocDigest: blob.tocDigest,
          diffId: blob.diffId,
          entryCount: blob.entries,
          chunkCount: blob.chunks,
          ...(blob.landmark && { landmark: blob.landmark }),
          prioritizedFileCount: blob.prioritized.length,
        }
        if (isAnnotated) return { layer: verified, ...(blob.metadata && { metadata: blob.metadata }) }
        const problem = `the manifest lacks the digest of the table of contents (${TOC_DIGEST_ANNOTATION}), so that readers cannot verify the layer`
        return { layer: { ...verified, problem } }
      } catch (error) {
        if (!(error instanceof LayerError || error instanceof VerificationError))
          throw explainLayerError(layer, error)
        return { layer: { ...base, problem: error.message.slice(0, MAX_PROBLEM_CHARACTERS) } }
      }
    })
  }

  /** Compares the views of a lazy reader and of a pull of the source. @returns the differences */
  async #compare(
    sourceRepository: Repository,
    sourceImage: Image,
    converted: readonly ArchiveMetadata[],
  ): Promise<string[]> {
    const source = await withSide('source', () => this.#list(sourceRepository, sourceImage))
    const { threads, limits } = this.#services
    const task = { kind: 'compare' as const, limits, source, converted }
    return threads.run(task, { signal: this.#signal })
  }

  #list(repository: Repository, image: Image): Promise<ArchiveMetadata[]> {
    const { threads, limits } = this.#services
    return this.#forEachLayer(image, async (layer, _, signal) => {
      const input = () =>
        repository
          .openBlob(layer, { signal })
          .then((bytes) => this.#countReads(bytes))
          .catch((error) => Promise.reject(explainLayerError(layer, error)))
      const metadata = await threads.run({ kind: 'list', limits }, { input, signal })
      this.#tally.countLayer(metadata.modSeconds.length, metadata.uncompressedBytes)
      return metadata
    })
  }

  async *#countReads(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of source) {
      this.#progress.readBytes += bytes.length
      this.#notify()
      yield bytes
    }
  }

  /** Runs an action on all layers concurrently and counts the completed ones. */
  #forEachLayer<Result>(
    { manifest }: Image,
    action: (layer: Descriptor, i: number, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result[]> {
    this.#progress.layerCount += manifest.layers.length
    this.#progress.totalBytes += manifest.layers.reduce((sum, { size }) => sum + size, 0)
    return allOrAbort(manifest.layers, this.#signal, async (layer, i, signal) => {
      const result = await action(layer, i, signal)
      this.#progress.doneLayerCount += 1
      this.#notify()
      return result
    })
  }
}

function getCounterpart(image: Image, { images, pinned }: OpenedImages): Image {
  const counterpart = findCounterpart(image, images)
  if (counterpart) return counterpart
  throw new ConversionError(
    'PLATFORM_NOT_FOUND',
    `${pinned} has no image for ${image.platform} to compare with`,
  )
}
