import { pipeline, Readable } from 'node:stream'
import type { Tally } from '../bytes/tally.ts'
import { verifyStream } from '../bytes/verify.ts'
import type { Digest } from '../oci/digest.ts'

/** Opens a blob's bytes from their start; called once for each try. */
export type BlobSource = Uint8Array | (() => Readable | Promise<Readable>)

/**
 * The bytes of an upload as request bodies. Keeps a failure of the source apart from one of the connection:
 * the HTTP client reports both alike, and only the second is worth another try.
 */
export class UploadSource {
  #failure: { readonly reason: unknown } | undefined

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

  /** A body of bytes whose digest is wanted at the end. It can be opened once. */
  tallied(source: AsyncIterable<Uint8Array>, tally: Tally): Readable {
    return this.#body(async function* () {
      for await (const piece of source) {
        tally.add(piece)
        yield piece
      }
    })
  }

  #body(pieces: () => AsyncGenerator<Uint8Array>): Readable {
    const note = (reason: unknown) => {
      this.#failure = { reason }
    }
    const watched = async function* () {
      const source = pieces()
      try {
        for (;;) {
          const next = await source.next().catch((error: unknown) => {
            note(error)
            throw error
          })
          if (next.done) return
          // What is thrown in here comes from the reader: a stream that is destroyed hands its error on.
          yield next.value
        }
      } finally {
        await source.return(undefined)
      }
    }
    const body = Readable.from(watched(), { objectMode: false })
    // The HTTP client may destroy a body before it listens to it.
    body.on('error', () => undefined)
    return body
  }
}
