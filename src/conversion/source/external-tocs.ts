import type { Digest } from '../../oci/digest.ts'
import { type Descriptor, parseManifestOrIndex } from '../../oci/documents.ts'
import type { Reference } from '../../oci/reference.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { type LayerLimits, maxCompressedTocBytes, tocTooLargeError } from '../../tar/layer-limits.ts'
import { LAYER_DIGEST_ANNOTATION } from '../output/assemble-image.ts'
import { TOC_TAG_SUFFIX } from '../request.ts'

/**
 * Reads tables of contents that are stored outside the layers of an image: in a second image whose tag has a
 * suffix, where stargz-snapshotter looks for them. A reference with a digest but without a tag has none.
 */
export class ExternalTocs {
  readonly #repository: Repository
  readonly #tag: string | undefined
  readonly #limits: Pick<LayerLimits, 'maxTocBytes'>
  #descriptors: Promise<Map<string, Descriptor>> | undefined

  constructor(repository: Repository, { tag, digest }: Reference, limits: Pick<LayerLimits, 'maxTocBytes'>) {
    this.#repository = repository
    this.#tag = tag === undefined && digest !== undefined ? undefined : `${tag ?? 'latest'}${TOC_TAG_SUFFIX}`
    this.#limits = limits
  }

  /**
   * Returns the blob with the table of contents of a layer, or undefined if the layer has no external one.
   * @throws RegistryError; LayerError LIMIT_EXCEEDED
   */
  async read(layer: Digest, signal: AbortSignal): Promise<Buffer | undefined> {
    this.#descriptors ??= this.#readDescriptors(signal)
    const toc = (await this.#descriptors).get(layer)
    if (!toc) return undefined
    const limit = maxCompressedTocBytes(this.#limits)
    if (toc.size > limit) throw tocTooLargeError(this.#limits)
    return this.#repository.readBlob(toc, { limit, signal })
  }

  /** Returns the descriptors of the tables of contents by the digest of their layer. */
  async #readDescriptors(signal: AbortSignal): Promise<Map<string, Descriptor>> {
    const descriptors = new Map<string, Descriptor>()
    if (this.#tag === undefined) return descriptors
    try {
      const { descriptor, bytes } = await this.#repository.getManifest(this.#tag, { signal })
      const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`)
      if (document.kind === 'index') return descriptors
      for (const toc of document.manifest.layers) {
        const layerDigest = toc.annotations?.[LAYER_DIGEST_ANNOTATION]
        if (layerDigest !== undefined) descriptors.set(layerDigest, toc)
      }
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'NOT_FOUND')) throw error
    }
    return descriptors
  }
}
