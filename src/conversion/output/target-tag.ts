import type { Digest } from '../../oci/digest.ts'
import { type Descriptor, parseManifestOrIndex } from '../../oci/documents.ts'
import { parseReference } from '../../oci/reference.ts'
import type { RegistryClient } from '../../registry/client.ts'
import type { TagReadBack } from '../../registry/manifests/read-back.ts'
import type { Repository } from '../../registry/repository.ts'
import { ConversionError } from '../errors.ts'
import { MAX_INDEX_DEPTH } from '../source/index-tree.ts'
import {
  MANIFEST_CHECKSUM_ANNOTATION,
  type SerializedDocument,
  TOC_DIGEST_ANNOTATION,
} from './assemble-image.ts'

/**
 * Guards the one action of a conversion that is not idempotent. It runs `action` while nobody else moves the
 * same tag, and passes it an assertion that fails once the tag may no longer be moved.
 * @param move the reference with the tag, and the digest that the tag will point to
 */
export type TagGuard = (
  move: { readonly target: string; readonly digest: Digest },
  action: (assertAllowed: () => Promise<void>) => Promise<void>,
) => Promise<void>

const unguarded: TagGuard = (_, action) => action(async () => {})

/** The tag that a result is published under, and its repository. */
export class TargetTag {
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

  static open(
    registries: RegistryClient,
    reference: string,
    overwrite: boolean,
    guard: TagGuard = unguarded,
  ): TargetTag {
    const parsed = parseReference(reference)
    return new TargetTag(registries.repository(parsed), parsed.tag ?? 'latest', overwrite, guard)
  }

  /** Returns the target in the same repository whose tag has the given suffix. */
  withTagSuffix(suffix: string): TargetTag {
    return new TargetTag(this.repository, `${this.tag}${suffix}`, this.#overwrite, this.#guard)
  }

  /** The host, the repository and the tag as one reference. */
  get reference(): string {
    return `${this.repository.host}/${this.repository.repository}:${this.tag}`
  }

  /**
   * Asserts, before work begins, that the tag does not point to something that no conversion creates. A
   * converted image may be the result of this very conversion, which was interrupted: {@link moveTag}
   * compares the digests.
   * @throws ConversionError TARGET_EXISTS
   */
  async assertWritable(signal: AbortSignal): Promise<void> {
    if (this.#overwrite) return
    const existing = await this.repository.resolve(this.tag, { signal })
    if (existing && !(await this.#isEStargz(existing, signal))) throw this.#existsError(existing)
  }

  /** Whether annotations mark all layers of the image, or of the first image of an index, as eStargz. */
  async #isEStargz({ digest }: Descriptor, signal: AbortSignal, depth = 1): Promise<boolean> {
    const { descriptor, bytes } = await this.repository.getManifest(digest, { signal })
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

  /** Puts a manifest by its digest, without a tag. */
  async putByDigest({ bytes, descriptor }: SerializedDocument, signal: AbortSignal): Promise<void> {
    await this.repository.putManifest(bytes, descriptor.mediaType, descriptor.digest, { signal })
  }

  /**
   * Points the tag to an image whose content was pushed before. This is the last action of a conversion.
   * @throws ConversionError TARGET_EXISTS if the tag points to something else and must not be moved;
   * TAG_CHANGED if it does not point to this image within some seconds
   */
  async moveTag(document: SerializedDocument, signal: AbortSignal): Promise<void> {
    const { bytes, descriptor } = document
    await this.putByDigest(document, signal)
    await this.#guard({ target: this.reference, digest: descriptor.digest }, async (assertAllowed) => {
      const existing = await this.repository.resolve(this.tag, { signal })
      if (existing?.digest === descriptor.digest) return
      if (existing && !this.#overwrite) throw this.#existsError(existing)
      await assertAllowed()
      await this.repository.putManifest(bytes, descriptor.mediaType, this.tag, { signal })
      const readBack = await this.repository.readTagBack(this.tag, descriptor.digest, { signal })
      if (readBack.digest !== descriptor.digest) throw this.#changedError(readBack, existing, descriptor)
    })
  }

  #changedError(
    readBack: TagReadBack,
    previous: Descriptor | undefined,
    { digest }: Descriptor,
  ): ConversionError {
    const isUnchanged = readBack.digest === undefined || readBack.digest === previous?.digest
    const cause = isUnchanged
      ? 'the registry accepted the change and does not show it: it may be slow, or another client deletes or moves the tag'
      : 'another client moves the tag, too'
    const state = previous === undefined ? 'did not exist' : `pointed to ${previous.digest}`
    return new ConversionError(
      'TAG_CHANGED',
      `${this.reference} ${state} and was moved to ${digest}; read back, ${readBack.history}: ${cause}`,
    )
  }

  #existsError({ digest }: Descriptor): ConversionError {
    return new ConversionError(
      'TARGET_EXISTS',
      `${this.reference} already points to ${digest}; choose another tag, or convert with overwrite`,
    )
  }
}
