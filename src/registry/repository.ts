import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Digest, digestOf } from '../oci/digest.ts'
import type { Descriptor } from '../oci/documents.ts'
import type { RepositoryAccess } from './auth/scopes.ts'
import { type BlobDescriptor, blobRequest } from './blobs/blob-request.ts'
import { getBlobSize } from './blobs/get-blob-size.ts'
import { openBlob } from './blobs/open-blob.ts'
import { readBlobRange } from './blobs/read-blob-range.ts'
import { RegistryError } from './errors.ts'
import { listTags } from './list-tags.ts'
import { type FetchedManifest, getManifest, resolveManifest } from './manifests/get-manifest.ts'
import { listReferrers } from './manifests/list-referrers.ts'
import { deleteManifest, putManifest } from './manifests/manifest-writes.ts'
import { readTagBack, type TagReadBack } from './manifests/read-back.ts'
import type { RegistryHost } from './registry-host.ts'
import type { RepositoryRule } from './repository-rule.ts'
import { RepositorySession } from './repository-session.ts'
import { assertJsonBounds } from './transport/response-bounds.ts'
import { mountBlob, type PushBlobOptions, pushBlob } from './upload/push-blob.ts'
import { type UploadStreamOptions, uploadStream } from './upload/upload-stream.ts'

export type Abortable = { readonly signal?: AbortSignal | undefined }

/** Options of reading a blob into memory. `limit` is its maximum size in bytes. */
export type ReadBlobOptions = Abortable & { readonly limit: number }

/**
 * One repository of one registry.
 *
 * Methods throw a RegistryError; a VerificationError if bytes do not match their descriptor; and the signal's
 * reason if the operation is aborted.
 */
export class Repository {
  readonly #registry: RegistryHost
  readonly #rule: RepositoryRule
  /** The name of the repository. */
  readonly repository: string

  constructor(registry: RegistryHost, repository: string, rule: RepositoryRule) {
    this.#registry = registry
    this.#rule = rule
    this.repository = repository
  }

  /** The registry host as references name it. */
  get host(): string {
    return this.#registry.host
  }

  /** Resolves a tag or digest to its descriptor; undefined if it does not exist. */
  resolve(tagOrDigest: string, options: Abortable = {}): Promise<Descriptor | undefined> {
    return resolveManifest(this.#session('pull', options), tagOrDigest)
  }

  /** Resolves a tag that was just pushed until it has the expected digest, or for about nine seconds. */
  readTagBack(tag: string, digest: Digest, options: Abortable = {}): Promise<TagReadBack> {
    return readTagBack(this.#session('pull', options), tag, digest)
  }

  /** Reads a manifest or index of at most 8 MiB, and computes its digest. @throws RegistryError NOT_FOUND */
  getManifest(tagOrDigest: string, options: Abortable = {}): Promise<FetchedManifest> {
    return getManifest(this.#session('pull', options), tagOrDigest)
  }

  /**
   * Opens a blob. The stream ends only if size and digest match, and resumes by itself after a dropped
   * connection. The caller reads it to its end or destroys it. @throws RegistryError NOT_FOUND
   */
  openBlob(descriptor: BlobDescriptor, options: Abortable = {}): Promise<Readable> {
    return openBlob(this.#session('pull', options), descriptor)
  }

  /** Reads a whole blob, verified. @throws RegistryError TOO_LARGE if its size is above the limit */
  async readBlob(descriptor: BlobDescriptor, options: ReadBlobOptions): Promise<Buffer> {
    const session = this.#session('pull', options)
    if (descriptor.size > options.limit) {
      const { operation, host } = blobRequest(session, descriptor.digest)
      const reason = `has a blob of ${descriptor.size} bytes where at most ${options.limit} are supported`
      throw new RegistryError('TOO_LARGE', { operation, host, reason })
    }
    return buffer(await openBlob(session, descriptor))
  }

  /**
   * Reads a blob that is a JSON document, verified, and checks its nesting depth before it is parsed.
   * @throws RegistryError TOO_LARGE, LIMIT_EXCEEDED
   */
  async readJsonBlob(descriptor: BlobDescriptor, options: ReadBlobOptions): Promise<Buffer> {
    const bytes = await this.readBlob(descriptor, options)
    const context = blobRequest(this.#session('pull', options), descriptor.digest)
    assertJsonBounds(bytes, this.#registry.bounds, context)
    return bytes
  }

  /** Reads bytes `[start, end)` of a blob. The caller verifies them: no digest covers a range. */
  readBlobRange(
    descriptor: BlobDescriptor,
    start: number,
    end: number,
    options: Abortable = {},
  ): Promise<Buffer> {
    return readBlobRange(this.#session('pull', options), descriptor, start, end)
  }

  /** Returns the size of a blob in bytes; undefined if the repository does not have it. */
  blobSize(digest: Digest, options: Abortable = {}): Promise<number | undefined> {
    return getBlobSize(this.#session('pull', options), digest)
  }

  /**
   * Mounts a blob of another repository of the same registry. Returns false if that was not possible and the
   * blob must be uploaded; an upload that the registry opened instead has been cancelled. {@link pushBlob}
   * with `mountFrom` uses that upload.
   */
  mountBlob(digest: Digest, fromRepository: string, options: Abortable = {}): Promise<boolean> {
    return mountBlob(this.#session('push', options), { digest, from: fromRepository })
  }

  /**
   * Uploads a blob of known digest and size, unless the repository has it. `source` is called for each
   * attempt and must return the same bytes each time, which are verified as they are sent.
   */
  pushBlob(
    descriptor: BlobDescriptor,
    source: () => Readable | Promise<Readable>,
    options: PushBlobOptions = {},
  ): Promise<void> {
    return pushBlob(this.#session('push', options), descriptor, source, options)
  }

  /** Uploads bytes as a blob, unless the repository has it. */
  async pushBytes(bytes: Uint8Array, options: Abortable = {}): Promise<BlobDescriptor> {
    const descriptor = { digest: digestOf(bytes), size: bytes.length }
    await pushBlob(this.#session('push', options), descriptor, bytes)
    return descriptor
  }

  /**
   * Uploads a stream whose size and digest are known only at its end, from its producer or by hashing it.
   * @throws RegistryError STREAMING_REFUSED if the registry does not support this; the source may be partly
   * consumed
   */
  uploadStream(
    source: AsyncIterable<Uint8Array>,
    options: UploadStreamOptions = {},
  ): Promise<BlobDescriptor> {
    return uploadStream(this.#session('push', options), source, options.descriptor)
  }

  /**
   * Puts a manifest or index under a tag or its digest. One with a `subject` becomes a referrer of it, by the
   * fallback tag if the registry has no referrers API.
   */
  putManifest(
    bytes: Uint8Array,
    mediaType: string,
    tagOrDigest: string,
    options: Abortable = {},
  ): Promise<Descriptor> {
    return putManifest(this.#session('push', options), { bytes, mediaType, tagOrDigest })
  }

  /**
   * Yields all tags, or the first `limit`.
   * @throws RegistryError NOT_FOUND if the repository does not exist
   */
  listTags(options: Abortable & { readonly limit?: number } = {}): AsyncIterable<string> {
    return listTags(this.#session('pull', options), options.limit)
  }

  /**
   * Lists the manifests whose subject is `digest`, in the registry's order, optionally of one artifact type.
   */
  listReferrers(
    digest: Digest,
    options: Abortable & { readonly artifactType?: string | undefined } = {},
  ): Promise<Descriptor[]> {
    return listReferrers(this.#session('pull', options), digest, options.artifactType)
  }

  /**
   * Deletes a manifest (by digest) or a tag.
   * @throws RegistryError NOT_FOUND; BAD_REQUEST if the registry does not support deletion, or not of tags
   */
  deleteManifest(tagOrDigest: string, options: Abortable = {}): Promise<void> {
    return deleteManifest(this.#session('delete', options), tagOrDigest)
  }

  #session(access: RepositoryAccess, { signal }: Abortable): RepositorySession {
    return RepositorySession.open({
      registry: this.#registry,
      repository: this.repository,
      access,
      rule: this.#rule,
      signal,
    })
  }
}
