import type { Scratch } from '../../bytes/scratch.ts'
import { Channel, ReaderStopped } from '../../concurrency/channel.ts'
import type { Digest } from '../../oci/digest.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { WRITE_THROUGH_BYTES } from '../../registry/upload/upload-source.ts'
import { withSide } from '../errors.ts'
import type { LayerStages } from '../progress.ts'

/** Tries of one blob in all: a stream that broke on its way up cannot be resumed, so it starts again. */
const TRIES = 3

/** A blob that is made while it is uploaded. */
export type UploadedBlob<Result extends Blob> = {
  readonly target: Repository
  readonly steps: LayerStages | undefined
  readonly signal: AbortSignal
  /** Makes the blob's bytes, from the start each time it is called; what `write` returns has to be awaited. */
  readonly make: (write: (bytes: Buffer) => Promise<void>, signal: AbortSignal) => Promise<Result>
  /** Waited for before it is made once more. */
  readonly beforeAgain?: (() => Promise<void>) | undefined
}

type Blob = { readonly digest: Digest; readonly size: number }

/**
 * Uploads blobs while they are made, without scratch disk. A registry that takes no stream of unknown length is
 * remembered; its blobs wait on disk for their digest.
 */
export class BlobStreamer {
  readonly #scratch: Scratch
  #streamingRefused = false

  constructor(scratch: Scratch) {
    this.#scratch = scratch
  }

  /** @throws LayerError, RegistryError, VerificationError with their side */
  async upload<Result extends Blob>(blob: UploadedBlob<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await (this.#streamingRefused ? this.#spool(blob) : this.#stream(blob))
      } catch (error) {
        blob.signal.throwIfAborted()
        const cause = error instanceof Error ? error.cause : undefined
        if (!(cause instanceof RegistryError)) throw error
        if (cause.code === 'STREAMING_REFUSED') this.#streamingRefused = true
        else if (!cause.retryable || attempt >= TRIES) throw error
        await blob.beforeAgain?.()
      }
    }
  }

  async #stream<Result extends Blob>(blob: UploadedBlob<Result>): Promise<Result> {
    const stop = new AbortController()
    const signal = AbortSignal.any([blob.signal, stop.signal])
    const pipe = new Channel<Buffer>()
    const write = (bytes: Buffer) => {
      blob.steps?.wrote(bytes.length)
      // The memory of a small piece may be used again while the connection still holds it.
      return pipe.write(bytes.length < WRITE_THROUGH_BYTES ? Buffer.from(bytes) : bytes)
    }
    let finished: Result | undefined
    const making = blob.make(write, signal).then(
      (result) => {
        finished = result
        pipe.end()
        return result
      },
      (error: unknown) => {
        pipe.fail(error)
        throw error
      },
    )
    const upload = () => blob.target.uploadStream(pipe, { signal, made: () => finished })
    const uploading = withSide('target', upload).catch((error) => {
      // The conversion ends with this reason, so that there is one error and not two.
      stop.abort(error)
      pipe.fail(error)
      throw error
    })
    const [made, uploaded] = await Promise.allSettled([making, uploading])
    const onlyUploadFailed = made.status === 'rejected' && made.reason instanceof ReaderStopped
    if (uploaded.status === 'rejected' && (made.status === 'fulfilled' || onlyUploadFailed)) {
      throw uploaded.reason
    }
    if (made.status === 'rejected') throw made.reason
    return made.value
  }

  async #spool<Result extends Blob>({ target, steps, signal, make }: UploadedBlob<Result>): Promise<Result> {
    const file = await this.#scratch.file()
    try {
      const result = await make((bytes) => {
        steps?.wrote(bytes.length)
        return file.write(bytes)
      }, signal)
      steps?.state('uploading')
      await withSide('target', () => target.pushBlob(result, () => file.read(), { signal }))
      return result
    } finally {
      await file.close()
    }
  }
}
