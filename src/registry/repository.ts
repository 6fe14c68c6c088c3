import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Digest, digestOf } from '../oci/digest.ts'
import type { Descriptor } from '../oci/documents.ts'
import { openBlob, readRange, statBlob } from './blobs.ts'
import { RegistryError } from './errors.ts'
import type { RegistryHost } from './host.ts'
import { deleteManifest, putManifest } from './manifests/manifest-writes.ts'
import { getManifest, resolveManifest } from './manifests/manifests.ts'
import { readTagBack, type TagReading } from './manifests/read-back.ts'
import { listReferrers } from './manifests/referrers.ts'
import { listTags } from './tags.ts'
import { checkJson } from './transport/response-bounds.ts'
import { mountBlob, type PushOptions, pushBlob, type StreamOptions, uploadStream } from './upload/upload.ts'

/** What a blob is known by. `size` is in bytes. */
export type BlobDescriptor = { readonly digest: Digest; readonly size: number }
export type Interruptible = { readonly signal?: AbortSignal | undefined }

/**
 * One repository of one registry. Acts fail with a RegistryError, and with a VerificationError where bytes
 * are not the ones that their descriptor promised. An aborted act fails with the signal's reason.
 */
export class Repository {
  readonly #registry: RegistryHost
  readonly repository: string

  constructor(registry: RegistryHost, repository: string) {
    this.#registry = registry
    this.repository = repository
  }

  /** The registry, as references name it. */
  get host(): string {
    return this.#registry.host
  }

  /** The descriptor that a tag or digest stands for now; undefined when there is none. */
  resolve(tagOrDigest: string, options: Interruptible = {}): Promise<Descriptor | undefined> {
    return resolveManifest(this.#registry, this.repository, tagOrDigest, options.signal)
  }

  /** Reads a tag back that was just put, for some seconds as long as it stands for something else than `digest`. */
  readBack(tag: string, digest: Digest, options: Interruptible = {}): Promise<TagReading> {
    return readTagBack(this.#registry, this.repository, tag, digest, options.signal)
  }

  /** A manifest or index, at most 8 MiB, hashed here. @throws RegistryError NOT_FOUND */
  manifest(
    tagOrDigest: string,
    options: Interruptible = {},
  ): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    return getManifest(this.#registry, this.repository, tagOrDigest, options.signal)
  }

  /**
   * A blob's bytes. The stream ends only when size and digest hold, and goes on by itself after a dropped
   * connection. The caller reads it to its end or destroys it. @throws RegistryError NOT_FOUND
   */
  blob(descriptor: BlobDescriptor, options: Interruptible = {}): Promise<Readable> {
    return openBlob(this.#registry, this.repository, descriptor, options.signal)
  }

  /** A whole small blob, verified. @throws RegistryError TOO_LARGE when it has more than `limit` bytes */
  async blobBytes(
    descriptor: BlobDescriptor,
    options: Interruptible & { readonly limit: number },
  ): Promise<Buffer> {
    if (descriptor.size > options.limit) {
      throw new RegistryError('TOO_LARGE', {
        operation: `read blob ${descriptor.digest} of ${this.repository}`,
        host: this.host,
        why: `holds ${descriptor.size} bytes of it where at most ${options.limit} are read`,
      })
    }
    return buffer(await this.blob(descriptor, options))
  }

  /** A small blob that is a JSON document, verified; how deep it is nested is checked before anybody parses it. */
  async blobJson(
    descriptor: BlobDescriptor,
    options: Interruptible & { readonly limit: number },
  ): Promise<Buffer> {
    const bytes = await this.blobBytes(descriptor, options)
    const operation = `read blob ${descriptor.digest} of ${this.repository}`
    checkJson(bytes, this.#registry.bounds, { operation, host: this.host })
    return bytes
  }

  /** Bytes `[start, end)` of a blob. No digest covers them: the caller verifies. */
  blobRange(
    descriptor: BlobDescriptor,
    start: number,
    end: number,
    options: Interruptible = {},
  ): Promise<Buffer> {
    return readRange(this.#registry, this.repository, descriptor, { start, end }, options.signal)
  }

  /** The size in bytes of a blob that is there, else undefined. */
  blobSize(digest: Digest, options: Interruptible = {}): Promise<number | undefined> {
    return statBlob(this.#registry, this.repository, digest, options.signal)
  }

  /**
   * Takes a blob over from another repository of the same registry. False: it was not possible and the
   * blob must be uploaded; an upload that the registry opened instead has been cancelled.
   * {@link pushBlob} with `mountFrom` goes on with that upload instead.
   */
  mountBlob(digest: Digest, fromRepository: string, options: Interruptible = {}): Promise<boolean> {
    return mountBlob(this.#registry, this.repository, digest, fromRepository, options.signal)
  }

  /**
   * Uploads a blob of known digest and size. `source` is called again for every new try, so it must give the
   * same bytes each time; they are verified on their way. Nothing is sent when the blob is there.
   */
  pushBlob(
    descriptor: BlobDescriptor,
    source: () => Readable | Promise<Readable>,
    options: PushOptions = {},
  ): Promise<void> {
    return pushBlob(this.#registry, this.repository, descriptor, source, options)
  }

  /** Uploads bytes as a blob. */
  async pushBytes(bytes: Uint8Array, options: Interruptible = {}): Promise<{ digest: Digest; size: number }> {
    const descriptor = { digest: digestOf(bytes), size: bytes.length }
    await pushBlob(this.#registry, this.repository, descriptor, bytes, options)
    return descriptor
  }

  /**
   * Uploads a stream whose size and digest are known only at its end: to whoever makes it, or by a hash in passing.
   * @throws RegistryError STREAMING_REFUSED when this registry cannot: some of the source may be read by then
   */
  uploadStream(source: AsyncIterable<Uint8Array>, options: StreamOptions = {}): Promise<BlobDescriptor> {
    return uploadStream(this.#registry, this.repository, source, options)
  }

  /**
   * Puts a manifest or index under a tag or its digest. One with a `subject` becomes a referrer of it, by
   * the fallback tag where the registry has no referrers API.
   */
  putManifest(
    bytes: Uint8Array,
    mediaType: string,
    tagOrDigest: string,
    options: Interruptible = {},
  ): Promise<Descriptor> {
    return putManifest(this.#registry, this.repository, { bytes, mediaType, tagOrDigest }, options.signal)
  }

  /** All tags, page by page; at most `limit`. @throws RegistryError NOT_FOUND for an unknown repository */
  tags(options: Interruptible & { readonly limit?: number } = {}): AsyncIterable<string> {
    return listTags(this.#registry, this.repository, options)
  }

  /** Manifests whose subject is `digest`, in the registry's order; only those of `artifactType` when given. */
  referrers(
    digest: Digest,
    options: Interruptible & { readonly artifactType?: string | undefined } = {},
  ): Promise<Descriptor[]> {
    return listReferrers(this.#registry, this.repository, digest, options)
  }

  /**
   * Deletes a manifest (by digest) or a tag.
   * @throws RegistryError NOT_FOUND; BAD_REQUEST where the registry deletes nothing, or no tags
   */
  deleteManifest(tagOrDigest: string, options: Interruptible = {}): Promise<void> {
    return deleteManifest(this.#registry, this.repository, tagOrDigest, options.signal)
  }
}
