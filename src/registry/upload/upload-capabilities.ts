/**
 * How a blob is sent (distribution-spec 1.1, "Pushing blobs"): with the PUT, in one PATCH before an empty
 * PUT, or in chunks.
 */
export type UploadMethod = 'monolithic' | 'single-patch' | 'chunked'

const DEFAULT_CHUNK_BYTES = 4 * 1024 * 1024
/** A host is considered to reject streams after this many consecutive streams that broke off. */
const MAX_BROKEN_STREAMS = 2

/** Google, GitHub and Amazon accept no upload of unknown length. */
const HOSTS_WITHOUT_STREAMS =
  /^(?:(?:.+\.)?gcr\.io|.+\.pkg\.dev|ghcr\.io|public\.ecr\.aws|.+\.dkr\.ecr[^/]*\.amazonaws\.com(?:\.cn)?)$/

/** What earlier uploads to one host showed that it supports. */
export class UploadCapabilities {
  /** The method that succeeded last: the first to try for a blob of known size. */
  method: UploadMethod = 'monolithic'
  /** The largest chunk that this host is known to accept, in bytes. */
  chunkBytes = DEFAULT_CHUNK_BYTES
  #rejectsStreams: boolean
  #consecutiveBrokenStreams = 0

  constructor(host: string) {
    this.#rejectsStreams = HOSTS_WITHOUT_STREAMS.test(host)
  }

  get rejectsStreams(): boolean {
    return this.#rejectsStreams
  }

  recordStreamRejection(): void {
    this.#rejectsStreams = true
  }

  /** A closed connection may be the only sign of a rejection. */
  recordBrokenStream(): void {
    this.#consecutiveBrokenStreams += 1
    if (this.#consecutiveBrokenStreams >= MAX_BROKEN_STREAMS) this.#rejectsStreams = true
  }

  recordStreamSuccess(): void {
    this.#consecutiveBrokenStreams = 0
  }
}
