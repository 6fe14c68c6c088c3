import { Readable } from 'node:stream'
import type { Scratch } from '../../bytes/scratch.ts'
import { Channel, ReaderStoppedError } from '../../concurrency/channel.ts'
import type { BlobDescriptor } from '../../registry/blobs/blob-request.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { WRITE_THROUGH_BYTES } from '../../registry/upload/upload-source.ts'
import { withSide } from '../errors.ts'
import type { LayerProgressTracker } from '../progress-tracker.ts'
import { withUploadSpan } from './layer-span.ts'

/** A stream that broke off cannot be resumed: each attempt produces the blob from the start. */
const MAX_ATTEMPTS = 3

/** A blob that is produced while it is uploaded. */
export type BlobUpload<Result extends BlobDescriptor> = {
  readonly progress: LayerProgressTracker | undefined
  readonly signal: AbortSignal
  /** Produces the blob from its start at every call, and awaits each `write`. */
  readonly produce: (write: (bytes: Buffer) => Promise<void>, signal: AbortSignal) => Promise<Result>
  /** Awaited before another attempt. */
  readonly beforeRetry?: (() => Promise<void>) | undefined
}

/**
 * Uploads blobs to one repository while they are produced, without scratch disk. Once the registry has
 * refused a stream of unknown size, blobs are spooled to scratch disk until their digests are known.
 */
export class BlobStreamer {
  readonly #target: Repository
  readonly #scratch: Scratch
  #isStreamingRefused = false

  constructor(target: Repository, scratch: Scratch) {
    this.#target = target
    this.#scratch = scratch
  }

  /** @throws SideError of the target for upload errors; what `produce` throws */
  async upload<Result extends BlobDescriptor>(blob: BlobUpload<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        const isStreamed = !this.#isStreamingRefused
        return await withUploadSpan(isStreamed ? 'stream' : 'spool', () =>
          isStreamed ? this.#stream(blob) : this.#spool(blob),
        )
      } catch (error) {
        blob.signal.throwIfAborted()
        const cause = error instanceof Error ? error.cause : undefined
        if (!(cause instanceof RegistryError)) throw error
        if (cause.code === 'STREAMING_REFUSED') this.#isStreamingRefused = true
        else if (!cause.retryable || attempt >= MAX_ATTEMPTS) throw error
        await blob.beforeRetry?.()
      }
    }
  }

  async #stream<Result extends BlobDescriptor>(blob: BlobUpload<Result>): Promise<Result> {
    const stop = new AbortController()
    const signal = AbortSignal.any([blob.signal, stop.signal])
    const channel = new Channel<Buffer>()
    const write = (bytes: Buffer) => {
      blob.progress?.countWritten(bytes.length)
      // The producer may reuse the memory of a small piece while the connection still holds it.
      return channel.write(bytes.length < WRITE_THROUGH_BYTES ? Buffer.from(bytes) : bytes)
    }
    let produced: Result | undefined
    const producing = blob.produce(write, signal).then(
      (result) => {
        produced = result
        channel.end()
        return result
      },
      (error: unknown) => {
        channel.fail(error)
        throw error
      },
    )
    const bytes = blob.progress?.countUploads(channel) ?? channel
    const upload = () => this.#target.uploadStream(bytes, { signal, descriptor: () => produced })
    const uploading = withSide('target', upload).catch((error) => {
      // With the same reason the producer fails with this error, too, and not with a second one.
      stop.abort(error)
      channel.fail(error)
      throw error
    })
    const [production, uploaded] = await Promise.allSettled([producing, uploading])
    const onlyUploadFailed =
      production.status === 'rejected' && production.reason instanceof ReaderStoppedError
    if (uploaded.status === 'rejected' && (production.status === 'fulfilled' || onlyUploadFailed)) {
      throw uploaded.reason
    }
    if (production.status === 'rejected') throw production.reason
    return production.value
  }

  async #spool<Result extends BlobDescriptor>(blob: BlobUpload<Result>): Promise<Result> {
    const { progress, signal, produce } = blob
    const file = await this.#scratch.createFile()
    try {
      const result = await produce((bytes) => {
        progress?.countWritten(bytes.length)
        return file.write(bytes)
      }, signal)
      progress?.enterState('uploading')
      const read = () => (progress ? Readable.from(progress.countUploads(file.read())) : file.read())
      await withSide('target', () => this.#target.pushBlob(result, read, { signal }))
      return result
    } finally {
      await file.close()
    }
  }
}
