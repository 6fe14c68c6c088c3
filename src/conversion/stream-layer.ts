import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Scratch } from '../bytes/scratch.ts'
import type { Descriptor } from '../oci/documents.ts'
import { RegistryError } from '../registry/errors.ts'
import type { Repository } from '../registry/repository.ts'
import { at } from './errors.ts'
import type { LayerResults, LayerTask } from './layer-task.ts'
import type { LayerSteps } from './progress.ts'
import type { ThreadPool } from './thread-pool.ts'

/** Tries of one layer in all: a stream that broke on its way up cannot be resumed, so the layer starts again. */
const TRIES = 3
const BUFFERED_BYTES = 1024 * 1024

/** A layer on its way from registry to registry, in the order of the source. */
export type StreamedLayer = {
  readonly source: Repository
  readonly target: Repository
  readonly layer: Descriptor
  readonly task: LayerTask & { readonly kind: 'stream' }
  readonly steps: LayerSteps
  readonly signal: AbortSignal
}

type Streamed = LayerResults['stream']

/**
 * Converts layers while they are downloaded and uploaded, without scratch disk. A registry that takes no stream of
 * unknown length is remembered; its layers wait on disk for their digest.
 */
export class LayerStreamer {
  readonly #threads: ThreadPool
  readonly #scratch: Scratch
  #streamingRefused = false

  constructor(threads: ThreadPool, scratch: Scratch) {
    this.#threads = threads
    this.#scratch = scratch
  }

  /** @throws LayerError, RegistryError, VerificationError with their side */
  async convert(layer: StreamedLayer): Promise<Streamed> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await (this.#streamingRefused ? this.#spool(layer) : this.#stream(layer))
      } catch (error) {
        layer.signal.throwIfAborted()
        const cause = error instanceof Error ? error.cause : undefined
        if (!(cause instanceof RegistryError)) throw error
        if (cause.code === 'STREAMING_REFUSED') this.#streamingRefused = true
        else if (!cause.retryable || attempt >= TRIES) throw error
      }
    }
  }

  async #stream(layer: StreamedLayer): Promise<Streamed> {
    const stop = new AbortController()
    const signal = AbortSignal.any([layer.signal, stop.signal])
    const pipe = new PassThrough({ highWaterMark: BUFFERED_BYTES })
    const converting = this.#run(layer, signal, async (bytes) => {
      layer.steps.wrote(bytes.length)
      // A copy, as nothing tells when the connection is done with it.
      if (!pipe.write(Buffer.from(bytes))) await once(pipe, 'drain', { signal })
    }).then(
      (result) => {
        pipe.end()
        return result
      },
      (error: unknown) => {
        pipe.destroy(error as Error)
        throw error
      },
    )
    const uploading = at('target', () => layer.target.uploadStream(pipe, { signal })).catch((error) => {
      // The conversion ends with this reason, so that there is one error and not two.
      stop.abort(error)
      throw error
    })
    const [converted, uploaded] = await Promise.allSettled([converting, uploading])
    if (converted.status === 'rejected') throw converted.reason
    if (uploaded.status === 'rejected') throw uploaded.reason
    return converted.value
  }

  async #spool(layer: StreamedLayer): Promise<Streamed> {
    const file = await this.#scratch.file()
    try {
      const result = await this.#run(layer, layer.signal, (bytes) => {
        layer.steps.wrote(bytes.length)
        return file.write(bytes)
      })
      layer.steps.state('uploading')
      await at('target', () => layer.target.pushBlob(result, () => file.read(), { signal: layer.signal }))
      return result
    } finally {
      await file.close()
    }
  }

  #run(
    { source, layer, task, steps }: StreamedLayer,
    signal: AbortSignal,
    write: (bytes: Buffer) => Promise<void>,
  ): Promise<Streamed> {
    const input = async () => steps.reading(await source.blob(layer, { signal }))
    return at('source', () => this.#threads.run(task, { input, write, signal }))
  }
}
