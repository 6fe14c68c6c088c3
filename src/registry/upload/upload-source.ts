import { pipeline, Readable } from 'node:stream'
import type { Digester } from '../../bytes/digester.ts'
import { verifyStream } from '../../bytes/verify.ts'
import { progressRecorder } from '../../concurrency/stall-watch.ts'
import type { BlobDescriptor } from '../blobs/blob-request.ts'

/** The bytes of a blob, or a function that opens them from the start, called once per attempt. */
export type BlobSource = Uint8Array | (() => Readable | Promise<Readable>)

/**
 * Provides the bytes of an upload as request bodies. Distinguishes a failure of the source from a failure of
 * the connection: the HTTP client reports both alike, and a retry helps only with the second.
 */
export class UploadSource {
  readonly #writeIdleMs: number
  readonly #onBytes: ((bytes: number) => void) | undefined
  #failure: { readonly reason: unknown } | undefined

  /**
   * @param writeIdleMs how long the connection may read nothing of the body, in milliseconds
   * @param onBytes called with the size of each piece that the connection has accepted
   */
  constructor(writeIdleMs: number, onBytes?: (bytes: number) => void) {
    this.#writeIdleMs = writeIdleMs
    this.#onBytes = onBytes
  }

  /** Throws the failure of the source, if it failed. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  /**
   * Returns a body with the bytes of a blob, verified as they are read. Opens the source when the body is
   * read.
   */
  verified(source: BlobSource, blob: BlobDescriptor): Readable {
    return this.#body(async function* () {
      const opened = source instanceof Uint8Array ? Readable.from([source]) : await source()
      const verify = verifyStream(blob, `the source of blob ${blob.digest}`)
      // The reader receives the error; pipeline closes the source in any case.
      yield* pipeline(opened, verify, () => undefined) as AsyncIterable<Uint8Array>
    })
  }

  /**
   * Returns a body with the bytes of a stream, which can be read once. It requests the next piece when the
   * connection is done with the one before, so the memory of a piece of at least {@link WRITE_THROUGH_BYTES}
   * can be reused then.
   * @param digester receives the bytes
   */
  streamed(source: AsyncIterable<Uint8Array>, digester: Digester | undefined): Readable {
    return this.#body(async function* () {
      for await (const piece of source) {
        digester?.add(piece)
        yield piece
      }
    })
  }

  #body(pieces: () => AsyncGenerator<Uint8Array>): Readable {
    const recordFailure = (reason: unknown) => {
      this.#failure = { reason }
    }
    const recordProgress = progressRecorder()
    // The HTTP client has timeouts for responses only.
    const abort = () =>
      body.destroy(new Error(`it read nothing of the request body for ${this.#writeIdleMs / 1000} seconds`))
    const startTimer = () => setTimeout(abort, this.#writeIdleMs)
    const onBytes = this.#onBytes
    const watched = async function* () {
      const source = pieces()
      let previousBytes = 0
      try {
        for (;;) {
          // The connection is done with the previous piece.
          recordProgress()
          if (previousBytes > 0) onBytes?.(previousBytes)
          const next = await source.next().catch((error: unknown) => {
            recordFailure(error)
            throw error
          })
          if (next.done) return
          // An error thrown at the yield comes from the reader: a destroyed stream passes its error on.
          const timer = startTimer()
          previousBytes = next.value.length
          try {
            yield next.value
          } finally {
            clearTimeout(timer)
          }
        }
      } finally {
        await source.return(undefined)
      }
    }
    const body = streamWithoutReadAhead(watched())
    // The HTTP client may destroy a body before it listens for errors.
    body.on('error', () => undefined)
    return body
  }
}

/** A socket writes pieces of at least this size through; it buffers a smaller one and requests the next. */
export const WRITE_THROUGH_BYTES = 256 * 1024

/** Creates a stream that buffers nothing: the client pauses it until the connection has accepted a piece. */
function streamWithoutReadAhead(pieces: AsyncGenerator<Uint8Array>): Readable {
  return new Readable({
    highWaterMark: 0,
    read() {
      pieces.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, callback) {
      pieces.return(undefined).then(
        () => callback(error),
        () => callback(error),
      )
    },
  })
}
