import { type Descriptor, parseManifestOrIndex } from '../oci/documents.ts'
import { isManifestType } from '../oci/media-types.ts'
import { parseReference } from '../oci/reference.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { Repository } from '../registry/repository.ts'
import { type Document, MANIFEST_CHECKSUM_ANNOTATION, TOC_DIGEST_ANNOTATION } from './assemble.ts'
import { ConversionError } from './errors.ts'

/** Where a converted image goes. */
export class Target {
  readonly repository: Repository
  readonly tag: string
  readonly #overwrite: boolean

  private constructor(repository: Repository, tag: string, overwrite: boolean) {
    this.repository = repository
    this.tag = tag
    this.#overwrite = overwrite
  }

  static of(registries: RegistryClient, reference: string, overwrite: boolean): Target {
    const parsed = parseReference(reference)
    return new Target(registries.repository(parsed), parsed.tag ?? 'latest', overwrite)
  }

  /** The same with a suffix behind the tag. */
  beside(suffix: string): Target {
    return new Target(this.repository, `${this.tag}${suffix}`, this.#overwrite)
  }

  /** The target as text, with its tag. */
  get name(): string {
    return `${this.repository.host}/${this.repository.repository}:${this.tag}`
  }

  /**
   * Fails before work begins when the tag stands for something that this conversion cannot come out as. What it may
   * have made itself, before it was interrupted, is compared by {@link moveTag}.
   * @throws ConversionError TARGET_EXISTS
   */
  async check(signal: AbortSignal): Promise<void> {
    if (this.#overwrite) return
    const existing = await this.repository.resolve(this.tag, { signal })
    if (existing && !(await this.#isEStargz(existing, signal))) throw this.#exists(existing)
  }

  /** Whether an image, or the first image of an index, says that all of its layers are eStargz. */
  async #isEStargz({ digest }: Descriptor, signal: AbortSignal): Promise<boolean> {
    const { descriptor, bytes } = await this.repository.manifest(digest, { signal })
    const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${digest}`)
    if (document.kind === 'manifest') {
      return document.manifest.layers.every(
        ({ annotations }) =>
          annotations?.[TOC_DIGEST_ANNOTATION] !== undefined ||
          annotations?.[MANIFEST_CHECKSUM_ANNOTATION] !== undefined,
      )
    }
    const [first] = document.index.manifests
    return first !== undefined && isManifestType(first.mediaType) && this.#isEStargz(first, signal)
  }

  /** Puts a manifest by its digest: no tag moves. */
  async putByDigest({ bytes, descriptor }: Document, signal: AbortSignal): Promise<void> {
    await this.repository.putManifest(bytes, descriptor.mediaType, descriptor.digest, { signal })
  }

  /**
   * The last act of a conversion: the tag comes to stand for a complete image.
   * @throws ConversionError TARGET_EXISTS when it stands for another one and may not be moved
   */
  async moveTag({ bytes, descriptor }: Document, signal: AbortSignal): Promise<void> {
    const existing = await this.repository.resolve(this.tag, { signal })
    if (existing?.digest === descriptor.digest) return
    if (existing && !this.#overwrite) throw this.#exists(existing)
    await this.repository.putManifest(bytes, descriptor.mediaType, this.tag, { signal })
  }

  #exists({ digest }: Descriptor): ConversionError {
    return new ConversionError(
      'TARGET_EXISTS',
      `${this.name} is ${digest} already; choose another tag, or allow to overwrite it`,
    )
  }
}
