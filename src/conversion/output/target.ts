import type { Digest } from '../../oci/digest.ts'
import { type Descriptor, parseManifestOrIndex } from '../../oci/documents.ts'
import { parseReference } from '../../oci/reference.ts'
import type { RegistryClient } from '../../registry/client.ts'
import type { TagReading } from '../../registry/manifests/read-back.ts'
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'
import { MAX_INDEX_DEPTH } from '../source/index-tree.ts'
import { type Document, MANIFEST_CHECKSUM_ANNOTATION, TOC_DIGEST_ANNOTATION } from './assemble-image.ts'

/**
 * Surrounds the one act of a conversion that is not idempotent. It lets `act` begin when nobody else moves this tag, and
 * gives it a check that fails when the tag may not be moved any more.
 * @param move the tag, and the digest that it shall stand for
 */
export type TagGuard = (
  move: { readonly target: string; readonly digest: Digest },
  act: (stillMine: () => Promise<void>) => Promise<void>,
) => Promise<void>

const unguarded: TagGuard = (_, act) => act(async () => {})

/** Where a converted image goes. */
export class Target {
  readonly repository: Repository
  readonly tag: string
  readonly #overwrite: boolean
  readonly #guard: TagGuard

  private constructor(repository: Repository, tag: string, overwrite: boolean, guard: TagGuard) {
    this.repository = repository
    this.tag = tag
    this.#overwrite = overwrite
    this.#guard = guard
  }

  static of(
    registries: RegistryClient,
    reference: string,
    overwrite: boolean,
    guard: TagGuard = unguarded,
  ): Target {
    const parsed = parseReference(reference)
    return new Target(registries.repository(parsed), parsed.tag ?? 'latest', overwrite, guard)
  }

  /** The same with a suffix behind the tag. */
  beside(suffix: string): Target {
    return new Target(this.repository, `${this.tag}${suffix}`, this.#overwrite, this.#guard)
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

  /** Whether an image, or the first image of an index and those inside it, says that all of its layers are eStargz. */
  async #isEStargz({ digest }: Descriptor, signal: AbortSignal, depth = 1): Promise<boolean> {
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
    return first !== undefined && depth < MAX_INDEX_DEPTH && this.#isEStargz(first, signal, depth + 1)
  }

  /** Puts a manifest by its digest: no tag moves. */
  async putByDigest({ bytes, descriptor }: Document, signal: AbortSignal): Promise<void> {
    await this.repository.putManifest(bytes, descriptor.mediaType, descriptor.digest, { signal })
  }

  /**
   * The last act of a conversion: it points the tag to a complete image, which has no tag until then.
   * @throws ConversionError TARGET_EXISTS when it stands for another one and may not be moved; TAG_CHANGED when it does
   * not stand for this one within some seconds
   */
  async moveTag(document: Document, signal: AbortSignal): Promise<void> {
    const { bytes, descriptor } = document
    await this.putByDigest(document, signal)
    await this.#guard({ target: this.name, digest: descriptor.digest }, async (stillMine) => {
      const existing = await this.repository.resolve(this.tag, { signal })
      if (existing?.digest === descriptor.digest) return
      if (existing && !this.#overwrite) throw this.#exists(existing)
      await stillMine()
      await this.repository.putManifest(bytes, descriptor.mediaType, this.tag, { signal })
      const reading = await this.repository.readBack(this.tag, descriptor.digest, { signal })
      if (reading.now !== descriptor.digest) throw this.#changed(reading, existing, descriptor)
    })
  }

  #changed(
    { now, said }: TagReading,
    before: Descriptor | undefined,
    { digest }: Descriptor,
  ): ConversionError {
    const isLate = now === undefined || now === before?.digest
    const why = isLate
      ? 'the registry took it and does not show it: it may be late, or somebody else deletes or moves the tag, too'
      : 'somebody else moves it, too'
    const was = before === undefined ? 'was not there' : `stood for ${before.digest}`
    return new ConversionError(
      'TAG_CHANGED',
      `${this.name} ${was}, was put to stand for ${digest}, and read back ${said}; ${why}`,
    )
  }

  #exists({ digest }: Descriptor): ConversionError {
    return new ConversionError(
      'TARGET_EXISTS',
      `${this.name} is ${digest} already; choose another tag, or allow to overwrite it`,
    )
  }
}
