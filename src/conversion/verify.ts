import { VerificationError } from '../bytes/verify.ts'
import { allOrAbort } from '../concurrency/all-or-abort.ts'
import type { LayerTree } from '../estargz/index/layer-tree.ts'
import type { Repository } from '../registry/repository.ts'
import { LayerError } from '../tar/errors.ts'
import { ConversionError, withSide } from './errors.ts'
import { MANIFEST_CHECKSUM_ANNOTATION, TOC_DIGEST_ANNOTATION } from './output/assemble-image.ts'
import type { VerificationProgress, VerificationReport, VerifiedLayer } from './report.ts'
import type { VerificationRequest } from './request.ts'
import { RequestTally } from './request-bounds.ts'
import type { ConversionServices } from './services.ts'
import { ExternalTocs } from './source/external-tocs.ts'
import { type Image, openReference, readImages } from './source/images.ts'
import { layerFailure } from './source/supported-layers.ts'

/** Of a problem that a report tells. */
const MAX_CHARACTERS = 1000

type Services = Pick<ConversionServices, 'registries' | 'threads' | 'limits' | 'bounds'>
type Options = {
  readonly signal: AbortSignal
  readonly onProgress?: (progress: VerificationProgress) => void
}

/**
 * Verifies every layer of an eStargz image from its first byte to its last, and compares its root file systems with
 * those of the image it was made of, where that is given. What is wrong with the image is in the report.
 * @throws RegistryError and DocumentError with their side, and ConversionError, when it could not be checked
 */
export async function runVerification(
  request: VerificationRequest,
  services: Services,
  { signal, onProgress }: Options,
): Promise<VerificationReport> {
  const startedAt = performance.now()
  const verification = new Verification(services, signal, onProgress)
  const report = await verification.run(request)
  return { ...report, durationMs: Math.round(performance.now() - startedAt) }
}

/** The images behind a reference, and where else to look for their tables of contents. */
type Read = {
  readonly repository: Repository
  readonly pinned: string
  readonly images: readonly Image[]
  readonly tocs: ExternalTocs
}

class Verification {
  readonly #services: Services
  readonly #tally: RequestTally
  readonly #signal: AbortSignal
  readonly #tell: () => void
  readonly #progress: VerificationProgress = { layers: 0, layersDone: 0 }

  constructor(services: Services, signal: AbortSignal, listener: Options['onProgress']) {
    this.#services = services
    this.#tally = new RequestTally(services.bounds)
    this.#signal = signal
    this.#tell = () => listener?.(this.#progress)
  }

  async run(request: VerificationRequest): Promise<Omit<VerificationReport, 'durationMs'>> {
    const { reference, source, platforms } = request
    const checked = await withSide('target', () => this.#read(reference, platforms))
    await withSide('target', async () => this.#tally.checkReport(checked.images, checked.pinned))
    const original =
      source === undefined ? undefined : await withSide('source', () => this.#read(source, platforms))
    const images: VerificationReport['images'] = []
    for (const image of checked.images) {
      const model = original && { ...original, image: sameImage(image, original.images, original.pinned) }
      const read = await this.#layers(checked, image, model !== undefined)
      const trees = read.flatMap(({ tree }) => tree ?? [])
      // What cannot be read cannot be compared: its problem is told already.
      const isReadable = trees.length === read.length
      const differences = model && isReadable ? await this.#differences(model, trees) : undefined
      images.push({
        platform: image.platform,
        digest: image.descriptor.digest,
        layers: read.map(({ layer }) => layer),
        ...(differences && { differences }),
      })
    }
    const verified = images.every(
      (image) =>
        image.layers.every((layer) => layer.problem === undefined) && (image.differences ?? []).length === 0,
    )
    return { reference: checked.pinned, verified, images }
  }

  async #read(reference: string, platforms: readonly string[] | undefined): Promise<Read> {
    const opened = await openReference(this.#services.registries, reference, this.#signal)
    const { images } = await readImages(opened, platforms, this.#tally, this.#signal)
    const tocs = new ExternalTocs(opened.repository, opened.reference, this.#services.limits)
    return { repository: opened.repository, pinned: opened.pinned, images, tocs }
  }

  /** @param keepTrees whether what the layers hold is answered, too, for those without a problem */
  #layers(
    { repository, tocs }: Read,
    image: Image,
    keepTrees: boolean,
  ): Promise<{ layer: VerifiedLayer; tree?: LayerTree }[]> {
    return this.#each(image, async (layer, i, signal) => {
      const promised = {
        tocDigest: layer.annotations?.[TOC_DIGEST_ANNOTATION],
        tocFrameDigest: layer.annotations?.[MANIFEST_CHECKSUM_ANNOTATION],
        diffId: image.config.rootfs.diff_ids[i],
      }
      const verifiable = promised.tocDigest !== undefined || promised.tocFrameDigest !== undefined
      const plain = { digest: layer.digest, size: layer.size }
      try {
        const externalToc = await tocs.of(layer.digest, signal)
        const found = await this.#services.threads.run(
          { kind: 'verify', limits: this.#services.limits, promised, externalToc, keepTree: keepTrees },
          { input: () => repository.blob(layer, { signal }), signal },
        )
        this.#tally.layer(found.entries, found.uncompressedSize)
        const verified = {
          ...plain,
          tocDigest: found.tocDigest,
          diffId: found.diffId,
          entries: found.entries,
          chunks: found.chunks,
          ...(found.landmark && { landmark: found.landmark }),
          prioritizedFiles: found.prioritized.length,
        }
        if (verifiable) return { layer: verified, ...(found.tree && { tree: found.tree }) }
        const problem = `the manifest names no digest of the table of contents (${TOC_DIGEST_ANNOTATION}), so that readers cannot verify the layer`
        return { layer: { ...verified, problem } }
      } catch (error) {
        if (!(error instanceof LayerError || error instanceof VerificationError))
          throw layerFailure(layer, error)
        return { layer: { ...plain, problem: error.message.slice(0, MAX_CHARACTERS) } }
      }
    })
  }

  async #differences(
    source: { repository: Repository; image: Image },
    checked: readonly LayerTree[],
  ): Promise<string[]> {
    const layers = await withSide('source', () => this.#list(source.repository, source.image))
    const { threads, limits } = this.#services
    const task = { kind: 'compare' as const, limits, source: layers, converted: checked }
    return threads.run(task, { signal: this.#signal })
  }

  #list(repository: Repository, image: Image): Promise<LayerTree[]> {
    const { threads, limits } = this.#services
    return this.#each(image, async (layer, _, signal) => {
      const input = () =>
        repository.blob(layer, { signal }).catch((error) => Promise.reject(layerFailure(layer, error)))
      const tree = await threads.run({ kind: 'list', limits }, { input, signal })
      this.#tally.layer(tree.seconds.length, tree.plainBytes)
      return tree
    })
  }

  #each<Result>(
    { manifest }: Image,
    act: (layer: Image['manifest']['layers'][number], i: number, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result[]> {
    this.#progress.layers += manifest.layers.length
    return allOrAbort(manifest.layers, this.#signal, async (layer, i, signal) => {
      const result = await act(layer, i, signal)
      this.#progress.layersDone++
      this.#tell()
      return result
    })
  }
}

function sameImage(image: Image, images: readonly Image[], where: string): Image {
  const [only, ...more] = images
  const same = images.find((one) => one.platform === image.platform) ?? (more.length === 0 ? only : undefined)
  if (same) return same
  throw new ConversionError(
    'PLATFORM_NOT_FOUND',
    `${where} has no image for ${image.platform} to compare with`,
  )
}
