import { pipeline, Readable } from 'node:stream'
import type { Digester } from '../../bytes/digester.ts'
import { verifyStream } from '../../bytes/verify.ts'
import { currentMovement } from '../../concurrency/stall-watch.ts'
import type { Digest } from '../../oci/digest.ts'

/** Opens a blob's bytes from their start; called once for each try. */
export type BlobSource = Uint8Array | (() => Readable | Promise<Readable>)

/**
 * The bytes of an upload as request bodies. Keeps a failure of the source apart from one of the connection:
 * the HTTP client reports both alike, and only the second is worth another try.
 */
export class UploadSource {
  readonly #takeMs: number
  #failure: { readonly reason: unknown } | undefined

  /** @param takeMs how long the connection may take nothing of the bytes, in milliseconds */
  constructor(takeMs: number) {
    this.#takeMs = takeMs
  }

  /** Throws the source's own failure, if it had one. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  /** A body of the blob's bytes, verified in passing. The source is opened when the body is read. */
  verified(source: BlobSource, blob: { digest: Digest; size: number }): Readable {
    return this.#body(async function* () {
      const opened = source instanceof Uint8Array ? Readable.from([source]) : await source()
      const verify = verifyStream(blob, `the source of blob ${blob.digest}`)
      // The reader sees the error; pipeline closes the source on every exit.
      yield* pipeline(opened, verify, () => undefined) as AsyncIterable<Uint8Array>
    })
  }

  /**
   * A body of bytes that are counted where their digest is wanted at the end. It can be opened once. The next piece is asked for when the
   * connection is done with the one before, so that a piece as large as {@link WRITE_THROUGH_BYTES} may be memory that
   * is used again then.
   */
  streamed(source: AsyncIterable<Uint8Array>, tally: Digester | undefined): Readable {
    return this.#body(async function* () {
      for await (const piece of source) {
        tally?.add(piece)
        yield piece
      }
    })
  }

  #body(pieces: () => AsyncGenerator<Uint8Array>): Readable {
    const note = (reason: unknown) => {
      this.#failure = { reason }
    }
    const moved = currentMovement()
    // The HTTP client watches over answers, not over what it sends.
    const giveUp = () => body.destroy(new Error(`it takes nothing for ${this.#takeMs / 1000} seconds`))
    const startWaiting = () => setTimeout(giveUp, this.#takeMs)
    const watched = async function* () {
      const source = pieces()
      try {
        for (;;) {
          // The connection is done with the piece before.
          moved()
          const next = await source.next().catch((error: unknown) => {
            note(error)
            throw error
          })
          if (next.done) return
          // What is thrown in here comes from the reader: a stream that is destroyed hands its error on.
          const waiting = startWaiting()
          try {
            yield next.value
          } finally {
            clearTimeout(waiting)
          }
        }
      } finally {
        await source.return(undefined)
      }
    }
    const body = oneByOne(watched())
    // The HTTP client may destroy a body before it listens to it.
    body.on('error', () => undefined)
    return body
  }
}

/** Pieces at least this large leave nothing behind in a socket: it holds a smaller one back, and takes the next. */
export const WRITE_THROUGH_BYTES = 256 * 1024

/** A stream that reads nothing ahead: the client pauses it until the connection has taken a piece, then it goes on. */
function oneByOne(pieces: AsyncGenerator<Uint8Array>): Readable {
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
