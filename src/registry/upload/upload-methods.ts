/** Ways to send a blob: whole in the PUT, in one PATCH before an empty PUT, or in chunks. */
export type UploadMethod = 'whole' | 'patch' | 'chunks'

const CHUNK_BYTES = 4 * 1024 * 1024
/** Streams that broke off in a row, after which the registry is taken to refuse them. */
const BROKEN_STREAMS = 2

/** Registries that take no upload of unknown length: Google, GitHub, Amazon. */
const NO_STREAMS =
  /^(?:(?:.+\.)?gcr\.io|.+\.pkg\.dev|ghcr\.io|public\.ecr\.aws|.+\.dkr\.ecr[^/]*\.amazonaws\.com(?:\.cn)?)$/

/** What uploads to one host taught. */
export class UploadMethods {
  /** The first way to try for a blob of known size. */
  way: UploadMethod = 'whole'
  /** Bytes of a chunk that this host takes. */
  chunkBytes = CHUNK_BYTES
  #refusesStreams: boolean
  #broken = 0

  constructor(host: string) {
    this.#refusesStreams = NO_STREAMS.test(host)
  }

  get refusesStreams(): boolean {
    return this.#refusesStreams
  }

  streamRefused(): void {
    this.#refusesStreams = true
  }

  /** A refusal may show as a closed connection only. */
  streamBroke(): void {
    this.#broken += 1
    if (this.#broken >= BROKEN_STREAMS) this.#refusesStreams = true
  }

  streamWorked(): void {
    this.#broken = 0
  }
}
