import type { Digest } from '../../oci/digest.ts'
import { type Descriptor, parseManifestOrIndex } from '../../oci/documents.ts'
import type { Reference } from '../../oci/reference.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { type LayerLimits, maxCompressedTocBytes, tocTooLarge } from '../../tar/limits.ts'
import { LAYER_DIGEST_ANNOTATION } from '../output/assemble-image.ts'
import { TOC_TAG_SUFFIX } from '../request.ts'

/**
 * Tables of contents that lie outside of the layers of an image: in the image whose tag is its own with a suffix, as
 * stargz-snapshotter looks for them. An image that is known by digest alone has none that could be found.
 */
export class ExternalTocs {
  readonly #repository: Repository
  readonly #tag: string | undefined
  readonly #limits: Pick<LayerLimits, 'maxTocBytes'>
  #tables: Promise<Map<string, Descriptor>> | undefined

  constructor(repository: Repository, { tag, digest }: Reference, limits: Pick<LayerLimits, 'maxTocBytes'>) {
    this.#repository = repository
    this.#tag = tag === undefined && digest !== undefined ? undefined : `${tag ?? 'latest'}${TOC_TAG_SUFFIX}`
    this.#limits = limits
  }

  /**
   * The blob with the table of contents of a layer, or undefined when there is none.
   * @throws RegistryError; LayerError LIMIT_EXCEEDED
   */
  async of(layer: Digest, signal: AbortSignal): Promise<Buffer | undefined> {
    this.#tables ??= this.#read(signal)
    const table = (await this.#tables).get(layer)
    if (!table) return undefined
    const limit = maxCompressedTocBytes(this.#limits)
    if (table.size > limit) throw tocTooLarge(this.#limits)
    return this.#repository.blobBytes(table, { limit, signal })
  }

  async #read(signal: AbortSignal): Promise<Map<string, Descriptor>> {
    const tables = new Map<string, Descriptor>()
    if (this.#tag === undefined) return tables
    try {
      const { descriptor, bytes } = await this.#repository.manifest(this.#tag, { signal })
      const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`)
      if (document.kind === 'index') return tables
      for (const layer of document.manifest.layers) {
        const of = layer.annotations?.[LAYER_DIGEST_ANNOTATION]
        if (of !== undefined) tables.set(of, layer)
      }
    } catch (error) {
      if (!(error instanceof RegistryError && error.code === 'NOT_FOUND')) throw error
    }
    return tables
  }
}
